using static TorchSharp.torch;

namespace Numbers;

/// <summary>An export that ONNX Runtime runs on one thread.</summary>
internal sealed class OnnxLanguageModel(string folder, string? file = null) : IDisposable
{
    private readonly OnnxTextGenerator _generator = OnnxTextGenerator.Load(folder, new OnnxRuntimeOptions { ModelFile = file, ThreadCount = 1 });

    public Continuation[] Generate(string[] prompts, Decoding decoding) => Library.FromTexts(_generator.Generate(prompts, Library.ToOptions(decoding)));

    public void Dispose() => _generator.Dispose();
}
