using MLTransfer.Tests.Networks;
using MLTransfer.Torch.Generation.Images;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training;
using MLTransfer.Torch.Training.Images;
using Microsoft.ML.Data;
using Microsoft.ML.Transforms.Image;

namespace MLTransfer.Tests.Images;

/// <summary>A picture with what is to be seen in it.</summary>
internal sealed class CaptionedRow
{
    [ImageType(Drawings.Size, Drawings.Size)]
    public MLImage? Image { get; set; }

    public string? Caption { get; set; }

    public string? Opening { get; set; } // as the process that loads models calls it

    public long Number { get; set; }
}

/// <summary>A tiny DALL-E of random weights with a tokenizer, and captioned drawings.</summary>
internal static class TinyCaptions
{
    /// <summary>The reference's DALL-E for 16 x 16 pixels, with a tokenizer of words.</summary>
    public static string Save(string path)
    {
        Directory.CreateDirectory(path);
        foreach (var name in (string[])["config.json", "model.safetensors"])
            File.Copy(RepositoryFiles.Data($"images/dalle-transformer-tiny/{name}"), Path.Combine(path, name));
        TextTokenizer.Train(
            Enumerable.Repeat("a red green blue square dark bright", 20),
            new TokenizerTrainingOptions { VocabularySize = 40, Kind = TokenizerKind.WordLevel }).Save(path);
        return path;
    }

    public static List<CaptionedRow> Rows(int count = 8) =>
    [
        .. Drawings.Make(count).Select((drawing, index) => new CaptionedRow
        {
            Image = drawing.Image, Caption = $"a {drawing.Class} square", Opening = $"a {drawing.Class} square", Number = index,
        }),
    ];

    public static TextToImageTrainingOptions Training => new()
    {
        Precision = Precision.Float32, LearningRate = 5e-3, MaximumSteps = 4, BatchSize = 4, EvaluationSteps = 2,
    };

    public static ImageGeneratorOptions Options(
        string model, Action<ImageGeneratorOptions>? change = null,
        Func<TextToImageTrainingOptions, TextToImageTrainingOptions>? training = null)
    {
        var options = new ImageGeneratorOptions
        {
            PretrainedModel = model, GenerationBatchSize = 3, Seed = 5, TextToImage = new ImageGenerationOptions { GuidanceScale = 2 },
            Training = training?.Invoke(Training) ?? Training,
        };
        change?.Invoke(options);
        return options;
    }
}
