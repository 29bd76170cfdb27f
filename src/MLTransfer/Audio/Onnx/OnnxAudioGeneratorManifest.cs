using MLTransfer.Persistence;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Generation.Music;

namespace MLTransfer.Audio.Onnx;

/// <summary>What a saved ONNX audio generator consists of. All its files lie in one folder.</summary>
internal sealed record OnnxAudioGeneratorManifest : ModelManifest
{
    public required string Output { get; init; }

    public string? Input { get; init; }

    /// <summary>The graph that options name, one of the files.</summary>
    public required string ModelFile { get; init; }

    public required int ThreadCount { get; init; }

    public MusicGenerationOptions? Music { get; init; }

    public SpeechOptions? Speech { get; init; }

    public required long Seed { get; init; }

    public required int GenerationBatchSize { get; init; }

    public OnnxAudioGeneratorOptions ToOptions() => new()
    {
        ModelFile = ModelFile, ThreadCount = ThreadCount, Music = Music, Speech = Speech, Seed = Seed,
        GenerationBatchSize = GenerationBatchSize,
    };

    public override void Check()
    {
        base.Check();
        ToOptions().Check();
        if (string.IsNullOrWhiteSpace(Output) || Input?.Trim().Length == 0)
            throw new ArgumentException("a column's name is blank");
        if (!Files.Any(file => file.Name == ModelFile))
            throw new ArgumentException($"it has no file '{ModelFile}'");
    }
}
