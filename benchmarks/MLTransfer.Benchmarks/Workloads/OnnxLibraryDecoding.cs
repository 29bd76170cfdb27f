using MLTransfer.Onnx.Generation;
using MLTransfer.Torch.Generation;
using Microsoft.ML.OnnxRuntime;

namespace MLTransfer.Benchmarks.Workloads;

/// <summary>
/// The library's generator over an ONNX export, as a user calls it but for the tokenizer, which random models have none of.
/// </summary>
internal sealed class OnnxLibraryDecoding : DecodingVariant
{
    private readonly OnnxDecoder _decoder;
    private readonly TokenGenerator _generator;

    /// <param name="folder">The export.</param>
    /// <param name="threads">Threads of a pass; 0 for ONNX Runtime's choice.</param>
    public OnnxLibraryDecoding(string folder, int threads)
        : base("library", DecodingWeights.Float32)
    {
        var options = new OnnxRuntimeOptions { ThreadCount = threads };
        _decoder = new OnnxDecoder(OnnxExportFiles.Find(folder, options), options);
        _generator = new TokenGenerator(_decoder, null, null);
    }

    /// <summary>
    /// The loaded graph. Loops written by hand run the same: where its weights lie in memory makes a difference of several percent.
    /// </summary>
    public InferenceSession Session => _decoder.Session;

    public override int[][] Decode(int[][] prompts, int newTokens)
    {
        var options = new GenerationOptions { MaximumNewTokens = newTokens, EndOfSequenceIds = [], BatchSize = prompts.Length };
        return [.. _generator.Generate(prompts, options).Select(sequences => sequences[0].TokenIds.ToArray())];
    }

    public override void Dispose() => _decoder.Dispose();
}
