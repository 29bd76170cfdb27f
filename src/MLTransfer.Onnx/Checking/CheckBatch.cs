using MLTransfer.Torch.Networks.Transformers;
using static TorchSharp.torch;

namespace MLTransfer.Onnx.Checking;

/// <summary>Two rows of arbitrary tokens, the second padded.</summary>
internal sealed class CheckBatch
{
    private const int PromptLength = 9;
    private const int PaddingLength = 3;
    private const int ContinuationLength = 2;

    /// <param name="network">Reads it; it decides on tokens and device.</param>
    /// <param name="inTwoParts">Whether a continuation follows a prompt.</param>
    /// <param name="paddingOnTheLeft">Where the padding is, at the beginning or at the end.</param>
    public CheckBatch(TransformerNetwork network, bool inTwoParts, bool paddingOnTheLeft)
    {
        var continuation = inTwoParts ? ContinuationLength : 0;
        var length = Math.Min(PromptLength + continuation, network.Description.Output.UnchangedLength ?? network.ContextLength);
        var padding = Math.Min(PaddingLength, length - 1);
        continuation = Math.Min(continuation, length - padding - 1);
        var (ids, mask, positions, types) = (new long[2, length], new long[2, length], new long[2, length], new long[2, length]);
        for (var row = 0; row < 2; row++)
        {
            for (var i = 0; i < length; i++)
            {
                ids[row, i] = (1 + 7919L * (i + 1) * (row + 1)) % network.VocabularySize;
                mask[row, i] = row == 1 && (paddingOnTheLeft ? i < padding : i >= length - padding) ? 0 : 1;
                positions[row, i] = row == 1 && paddingOnTheLeft ? Math.Max(0, i - padding) : i;
                types[row, i] = i % 2;
            }
        }

        Length = length;
        Parts = continuation > 0 ? [new(0, length - continuation), new(length - continuation, length)] : [new(0, length)];
        var streams = network.Description.Output.Input.Tables.Length;
        Ids = tensor(ids).to(network.Device);
        if (streams > 1)
            Ids = stack(Enumerable.Range(0, streams).Select(stream => Ids.roll(stream, 1)), 1); // [2, streams, length]
        (Mask, Positions) = (tensor(mask).to(network.Device), tensor(positions).to(network.Device));
        TokenTypes = tensor(types).to(network.Device);
    }

    public int Length { get; }

    /// <summary>The columns that are read at once, one part after the other.</summary>
    public IReadOnlyList<Range> Parts { get; }

    /// <summary>[2, length], of several streams [2, streams, length].</summary>
    public Tensor Ids { get; }

    /// <summary>[2, length], 1 for real tokens.</summary>
    public Tensor Mask { get; }

    /// <summary>[2, length] bool.</summary>
    public Tensor Real => Mask.to(ScalarType.Bool);

    /// <summary>[2, length], counted from the first real token.</summary>
    public Tensor Positions { get; }

    /// <summary>[2, length].</summary>
    public Tensor TokenTypes { get; }

    /// <summary>The columns of a part.</summary>
    public Tensor Columns(Tensor values, Range part)
    {
        var (start, length) = part.GetOffsetAndLength(Length);
        return values.narrow(-1, start, length);
    }

    /// <summary>The columns up to the end of a part.</summary>
    public Tensor ColumnsUntil(Tensor values, Range part)
    {
        var (start, length) = part.GetOffsetAndLength(Length);
        return values.narrow(-1, 0, start + length);
    }
}
