using System.Text.Json.Nodes;
using MLTransfer.Torch.Checkpoints;
using MLTransfer.Torch.Networks.Vits;
using MLTransfer.Torch.Sounds;
using MLTransfer.Torch.Tests.Checkpoints;
using MLTransfer.Torch.Tokenization;
using MLTransfer.Torch.Training.Audio;

namespace MLTransfer.Torch.Tests.Training.Audio;

/// <summary>A tiny voice and what it learns: each letter has a pitch.</summary>
internal static class TinySpeech
{
    private static readonly string[] s_texts = ["abc", "cab it", "an echo", "dad bed", "a cab", "bee"];

    public static SpeechTokenizer Tokenizer { get; } = TokenizerOf("vits-tiny-speakers");

    public static SpeechTokenizer TokenizerOf(string name) => SpeechTokenizer.Load(RepositoryFiles.Data($"speech/{name}"));

    /// <summary>The network of the reference data, perhaps with dropout and other entries.</summary>
    public static VitsModel Model(bool hasDropout = false, string name = "vits-tiny-speakers")
    {
        var folder = RepositoryFiles.Data($"speech/{name}");
        var configuration = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, "config.json")))!.AsObject();
        if (hasDropout)
        {
            foreach (var key in (
                string[])["hidden_dropout", "attention_dropout", "layerdrop", "wavenet_dropout", "duration_predictor_dropout"])
                configuration[key] = 0.2;
        }

        using var checkpoint = Checkpoint.Open(folder);
        return VitsModel.Load(configuration, checkpoint, folder);
    }

    public static IReadOnlyList<SpeechExample> Rows(int count = 6, int? speaker = 1) =>
        [.. Enumerable.Range(0, count)
            .Select(i => new SpeechExample(s_texts[i % s_texts.Length], Sound(s_texts[i % s_texts.Length], i), speaker))];

    public static SpeechTrainingOptions Options(string? folder = null) => new()
    {
        BatchSize = 2, NumberOfEpochs = 2, SegmentSize = 256, MelBands = 20, DiscriminatorWidth = 8, LearningRate = 1e-3, Seed = 3,
        OutputDirectory = folder, CheckpointSteps = folder is null ? 0 : 2,
    };

    /// <summary>All weights to the last bit, adapters and discriminator included.</summary>
    public static Dictionary<string, byte[]> Bytes(VitsModel model) =>
        model.CheckpointTensors().Concat(MLTransfer.Torch.Adaptation.PeftAdapterFolder.Tensors(model))
            .Concat(model.Discriminator?.CheckpointTensors() ?? []).ToDictionary(t => t.Key, t => TensorBytes.Of(t.Value));

    private static Waveform Sound(string text, int seed)
    {
        const int perLetter = 240;
        var samples = new float[text.Length * perLetter + 40 * seed];
        for (var i = 0; i < text.Length * perLetter; i++)
            samples[i] = 0.4f * MathF.Sin(i * (0.1f + 0.02f * (text[i / perLetter] - 'a')));
        return new Waveform(samples, 16000);
    }
}
