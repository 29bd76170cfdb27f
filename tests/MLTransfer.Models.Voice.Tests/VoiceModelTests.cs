using System.Globalization;
using MLTransfer.Torch.Checkpoints.Safetensors;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Networks.Vits;
using MLTransfer.Torch.Tokenization;
using Xunit;
using static TorchSharp.torch;

namespace MLTransfer.Models.Tests;

public class VoiceModelTests
{
    private const long MostBytes = 10_000_000;

    [Fact]
    public void Folder_holds_a_model_and_nothing_else()
    {
        Assert.Equal(Path.Combine(AppContext.BaseDirectory, "models", "voice"), VoiceModel.Folder);
        Assert.Equal(
            ["config.json", "discriminator.safetensors", "model.safetensors", "tokenizer_config.json", "vocab.json"],
            Directory.EnumerateFiles(VoiceModel.Folder).Select(file => Path.GetFileName(file)).Order(StringComparer.Ordinal));
        Assert.InRange(Directory.EnumerateFiles(VoiceModel.Folder).Sum(file => new FileInfo(file).Length), 1, MostBytes);
    }

    [Fact]
    public void Missing_folder_is_reported_with_its_path()
    {
        string application = Path.Combine(Path.GetTempPath(), "application-without-models");

        var exception = Assert.Throws<DirectoryNotFoundException>(() => VoiceModel.FindIn(application));

        Assert.Contains(Path.Combine(application, "models", "voice"), exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Weights_are_float16_and_as_many_as_the_model_card_says()
    {
        using var weights = SafetensorsFile.Open(Path.Combine(VoiceModel.Folder, "model.safetensors"));
        using var discriminator = SafetensorsFile.Open(Path.Combine(VoiceModel.Folder, "discriminator.safetensors"));
        using var model = VitsModel.Load(VoiceModel.Folder);

        Assert.All(
            weights.Tensors.Values.Concat(discriminator.Tensors.Values), tensor => Assert.Equal(ScalarType.Float16, tensor.DataType));
        var parameters = model.parameters().Sum(parameter => parameter.numel());
        Assert.Contains($"{parameters.ToString("N0", CultureInfo.InvariantCulture)}, stored as float16",
            File.ReadAllText(Path.Combine(RepositoryFiles.Root, "src", "MLTransfer.Models.Voice", "MODEL_CARD.md")),
            StringComparison.Ordinal);
    }

    /// <summary>Recordings of another voice are told apart by what is said.</summary>
    [Fact]
    public void Speech_is_nearest_to_the_recording_of_the_same_text()
    {
        using var model = VitsModel.Load(VoiceModel.Folder);
        var (texts, recordings) = NewVoice.Read(8);
        var spoken = new SpeechGenerator(model, SpeechTokenizer.Load(VoiceModel.Folder)).Generate(
            [.. texts.Select(text => new SpeechRequest(text) { Speaker = 0 })], new SpeechOptions { Seed = 1 },
            cancellationToken: TestContext.Current.CancellationToken);

        var right = spoken.Index().Count(sound =>
            recordings.Index().MinBy(recording => NewVoice.Distance(recording.Item, sound.Item)).Index == sound.Index);
        Assert.InRange(right, 7, 8);
    }
}
