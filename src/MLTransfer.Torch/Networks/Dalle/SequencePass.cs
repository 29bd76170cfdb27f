using MLTransfer.Torch.Layers;
using static TorchSharp.torch;

namespace MLTransfer.Torch.Networks.Dalle;

/// <summary>What all layers share in one pass over whole sequences.</summary>
/// <param name="Training">Whether dropout is at work.</param>
/// <param name="Keep">Is given each layer's keys and values, [B, heads, length, head width]; null where nobody wants them.</param>
internal sealed record SequencePass(bool Training, Action<int, Tensor, Tensor>? Keep = null);

/// <summary>What all layers share while the next code of each of a few rows is read.</summary>
/// <param name="Rows">The number of rows, and threads.</param>
/// <param name="Code">The code's number in the picture.</param>
/// <param name="Cache">What is kept of the positions before.</param>
internal sealed record CodeStep(DecodingStep Rows, int Code, CodeCache Cache);

/// <summary>The attention or the feed-forward of a layer. Layers may share one.</summary>
internal interface ILayerFunction
{
    /// <summary>[B, T, width] to the same shape.</summary>
    Tensor Forward(Tensor x, int layer, SequencePass pass);

    /// <summary>One new code of each row: [rows, width] to the same shape.</summary>
    void Step(ReadOnlySpan<float> input, Span<float> output, int layer, CodeStep step);
}
