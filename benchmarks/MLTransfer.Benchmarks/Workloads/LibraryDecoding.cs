using MLTransfer.Torch.Adaptation;
using MLTransfer.Torch.Generation;
using MLTransfer.Torch.Networks.Transformers;

namespace MLTransfer.Benchmarks.Workloads;

/// <summary>The library's generator, as a user calls it.</summary>
internal sealed class LibraryDecoding : DecodingVariant
{
    private readonly CausalLanguageModel _model;
    private readonly TokenGenerator _generator;

    public LibraryDecoding(BenchmarkedModel model, DecodingWeights weights, string? name = null)
        : base(name ?? weights.Name, weights)
    {
        _model = model.Load(weights.Type);
        if (weights.Format is { } format)
            WeightQuantization.Quantize(_model, format);
        _generator = new TokenGenerator(_model);
    }

    public override int[][] Decode(int[][] prompts, int newTokens)
    {
        var options = new GenerationOptions { MaximumNewTokens = newTokens, EndOfSequenceIds = [], BatchSize = prompts.Length };
        return [.. _generator.Generate(prompts, options).Select(sequences => sequences[0].TokenIds.ToArray())];
    }

    public override void Dispose() => _model.Dispose();
}
