using MLTransfer.Onnx.Generation;
using Numbers.Settings;

namespace Numbers.Library;

/// <summary>An export that ONNX Runtime runs on one thread.</summary>
internal sealed class OnnxLanguageModel(string folder, string? file = null) : IDisposable
{
    private readonly OnnxTextGenerator _generator = OnnxTextGenerator.Load(
        folder, new OnnxRuntimeOptions { ModelFile = file, ThreadCount = 1 });

    public Continuation[] Generate(string[] prompts, Decoding decoding) =>
        Conversions.FromTexts(_generator.Generate(prompts, Conversions.ToOptions(decoding)));

    public void Dispose() => _generator.Dispose();
}
