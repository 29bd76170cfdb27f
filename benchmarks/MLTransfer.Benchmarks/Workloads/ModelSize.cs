using MLTransfer.Torch.Networks.Transformers;

namespace MLTransfer.Benchmarks.Workloads;

/// <summary>What decides how much there is to compute and to read.</summary>
/// <param name="Layers">The number of blocks.</param>
/// <param name="Width">The width of the residual stream.</param>
/// <param name="AttentionWidth">The width of all heads of a layer together.</param>
/// <param name="ContextLength">The most positions.</param>
/// <param name="VocabularySize">The number of token ids.</param>
/// <param name="MatrixParameters">The parameters of matrix products: the blocks' matrices and the output head.</param>
/// <param name="DecodingParameters">The parameters that decoding a token reads: all but the tables that one row is looked up in.</param>
internal sealed record ModelSize(
    int Layers, long Width, long AttentionWidth, int ContextLength, int VocabularySize, long MatrixParameters, long DecodingParameters)
{
    public static ModelSize Of(CausalLanguageModel model)
    {
        var width = model.TokenEmbedding.shape[1];
        var head = model.VocabularySize * width;
        var attention = model.Description.Output.Blocks[0].Self;
        var blocks = model.BlockPrefixes;
        var matrices = model.named_parameters()
            .Where(p => p.parameter.dim() == 2 && blocks.Any(block => p.name.StartsWith(block, StringComparison.Ordinal)))
            .Sum(p => p.parameter.numel());
        var vectors = model.named_parameters().Where(p => p.parameter.dim() == 1).Sum(p => p.parameter.numel());
        return new ModelSize(
            model.LayerCount, width, attention.Heads * attention.HeadWidth, model.ContextLength, model.VocabularySize, matrices + head,
            matrices + vectors + head);
    }

    /// <summary>
    /// The floating-point operations of forward and backward pass: 2 + 4 for each parameter of a matrix product and token, or 2 + 2 where
    /// the parameters are frozen, and attention's two products of width x length, counted without regard to causality.
    /// </summary>
    public double TrainingOperations(TrainingShape shape, TrainedOperations operations = TrainedOperations.All) =>
        (operations == TrainedOperations.Adapters ? 4.0 : 6.0) * MatrixParameters * shape.Tokens
        + 12.0 * Layers * AttentionWidth * shape.Length * shape.Tokens;
}
