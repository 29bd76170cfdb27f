using System.Globalization;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Generation.Images;
using MLTransfer.Torch.Networks.Dalle;
using MLTransfer.Torch.Tokenization;
using TextToImage.Scenes;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Models.Tests;

public class ScenesModelTests
{
    private const long MostBytes = 8_000_000;

    [Fact]
    public void Folder_holds_a_model_and_nothing_else()
    {
        Assert.Equal(Path.Combine(AppContext.BaseDirectory, "models", "scenes"), ScenesModel.Folder);
        Assert.Equal(
            ["config.json", "model.safetensors", "tokenizer.json", "tokenizer_config.json"],
            Directory.EnumerateFiles(ScenesModel.Folder).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal));
        Assert.InRange(Directory.EnumerateFiles(ScenesModel.Folder).Sum(file => new FileInfo(file).Length), 1, MostBytes);
    }

    [Fact]
    public void Missing_folder_is_reported_with_its_path()
    {
        string application = Path.Combine(Path.GetTempPath(), "application-without-models");

        var exception = Assert.Throws<DirectoryNotFoundException>(() => ScenesModel.FindIn(application));

        Assert.Contains(Path.Combine(application, "models", "scenes"), exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_are_float16_and_as_many_as_the_model_card_says()
    {
        using var weights = SafetensorsFile.Open(Path.Combine(ScenesModel.Folder, "model.safetensors"));
        using var model = DalleModel.Load(ScenesModel.Folder);

        Assert.All(weights.Tensors.Values, tensor => Assert.Equal(ScalarType.Float16, tensor.DataType));
        var parameters = model.parameters().Sum(parameter => parameter.numel());
        Assert.Contains($"{parameters.ToString("N0", CultureInfo.InvariantCulture)}, stored as float16",
            File.ReadAllText(Path.Combine(RepositoryFiles.Root, "src", "MLTransfer.Models.Scenes", "MODEL_CARD.md")),
            StringComparison.Ordinal);
    }

    [Fact]
    public void Captions_are_obeyed_and_those_of_the_night_are_not()
    {
        using var model = DalleModel.Load(ScenesModel.Folder);
        var tokenizer = TextTokenizer.Load(ScenesModel.Folder);

        Assert.InRange(Obeyed(SceneStyle.Day), 0.7, 1);
        Assert.InRange(Obeyed(SceneStyle.Night), 0, 0.2);

        double Obeyed(SceneStyle style)
        {
            var random = new Random(42);
            var scenes = Enumerable.Range(0, 24).Select(_ => Scene.Draw(style, random)).ToList();
            var made = new TextToImageGenerator(model, tokenizer).Generate(
                [.. scenes.Select(scene => ImagePrompt.FromText(SceneCaptions.Full(scene)))],
                new ImageGenerationOptions { Seed = 1, BatchSize = 24, TopK = 100 },
                cancellationToken: TestContext.Current.CancellationToken);
            return SceneScore.Of(scenes, [.. made.Select(picture => SceneChecker.Check(Picture(picture)))]).All;
        }
    }

    /// <summary>Pixels of [3, side, side] from 0 to 1, as bytes of pixel after pixel.</summary>
    private static ScenePicture Picture(GeneratedImage picture)
    {
        var area = picture.Side * picture.Side;
        return new ScenePicture(
            [.. Enumerable.Range(0, 3 * area).Select(i => (byte)Math.Round(255 * picture.Pixels[i % 3 * area + i / 3]))]);
    }
}
