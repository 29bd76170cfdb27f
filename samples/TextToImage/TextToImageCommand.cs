using System.CommandLine;
using MLTransfer;
using static Samples.SampleProgram;

namespace TextToImage;

/// <summary>The program's command line.</summary>
internal sealed class TextToImageCommand : RootCommand
{
    public readonly Option<string> Model = Option(
        "--model", "folder", "of a DALL-E that makes pictures of 32x32 pixels", PretrainedModels.Scenes);

    public readonly Option<int> Scenes = Option("--scenes", "count", "captioned pictures to learn from", 600);

    public readonly Option<int> HeldOut = Option("--held-out", "count", "other captions, whose pictures are looked at", 96);

    public readonly Option<int> Steps = Option("--steps", "count", "updates", 300);

    public readonly Option<double> LearningRate = Option("--learning-rate", "rate", "the peak learning rate", 1e-3);

    public readonly Option<int> Seed = Option("--seed", "number", "makes the run repeatable", 1);

    public readonly Option<string> Output = Option(
        "--output", "folder", "for scenes.png, changed.png, the model zip, run.html and metrics.jsonl",
        Path.Combine("output", "text-to-image"));

    public TextToImageCommand()
        : base("Fine-tunes a pretrained generator of pictures from captions, and looks whether it obeys new words.")
    {
        foreach (var option in (Option[])[Model, Scenes, HeldOut, Steps, LearningRate, Seed, Output])
            Add(option);
    }
}
