using MLTransfer.Onnx.Generation;

namespace MLTransfer.Text;

/// <summary>What a saved ONNX text generator consists of. All its files lie in one folder.</summary>
internal sealed record OnnxTextGeneratorManifest : TextManifest
{
    /// <summary>The graph, one of the files.</summary>
    public required string ModelFile { get; init; }

    /// <summary>The threads that compute one pass; 0 for one a physical core.</summary>
    public required int ThreadCount { get; init; }

    public override void Check()
    {
        base.Check();
        new OnnxRuntimeOptions { ModelFile = ModelFile, ThreadCount = ThreadCount }.Check();
        if (!Files.Any(file => file.Name == ModelFile))
            throw new ArgumentException($"it has no file '{ModelFile}'");
    }
}
