using System.CommandLine;
using MLTransfer;
using static Samples.SampleProgram;

namespace ImageGeneration;

/// <summary>The program's command line.</summary>
internal sealed class ImageGenerationCommand : RootCommand
{
    public readonly Option<string> Model = Option(
        "--model", "folder", "with config.json, generator.safetensors and discriminator.safetensors", PretrainedModels.Shapes);

    public readonly Option<DirectoryInfo?> Pictures = Option<DirectoryInfo?>(
        "--pictures", "folder", "the pictures to learn from, PNG or JPEG; without it faces that the sample draws");

    public readonly Option<int> Size = Option("--size", "pixels", "width and height that pictures are resized to, those of the model", 32);

    public readonly Option<int> Images = Option("--images", "count", "pictures to show in all, each as often as it takes", 15_000);

    public readonly Option<int> BatchSize = Option("--batch-size", "count", "pictures of one update", 16);

    public readonly Option<double> LearningRate = Option("--learning-rate", "rate", "of both networks", 0.004);

    public readonly Option<int> FrozenBlocks = Option("--freeze", "count", "blocks of the discriminator that stay as they are", 0);

    public readonly Option<int> Seed = Option("--seed", "number", "makes the run repeatable", 1);

    public readonly Option<string> Output = Option(
        "--output", "folder", "for pictures.png, the model zip, the ONNX file, run.html and metrics.jsonl",
        Path.Combine("output", "image-generation"));

    public ImageGenerationCommand()
        : base("Fine-tunes a pretrained image generator on pictures and shows what it makes, before and after.")
    {
        foreach (var option in (Option[])[Model, Pictures, Size, Images, BatchSize, LearningRate, FrozenBlocks, Seed, Output])
            Add(option);
    }
}
