using MLTransfer.Torch.Layers;
using MLTransfer.Torch.Networks.Transformers;
using MLTransfer.Torch.Networks.Transformers.Description;
using MLTransfer.Torch.Numerics;

namespace MLTransfer.Torch.Training.Language;

/// <summary>
/// What a token's way through a block keeps for the backward pass, in bytes: the tensors that autograd saves, each once, where several
/// operations save the same.
/// </summary>
/// <param name="block">The block.</param>
/// <param name="width">The width of the residual stream.</param>
/// <param name="streamSize">The bytes of a number of the residual stream and of norms.</param>
/// <param name="productSize">The bytes of a number of matrix products.</param>
/// <param name="dropout">Probabilities of training.</param>
/// <param name="length">The positions that attention sees.</param>
/// <param name="isMasked">Whether attention is given a mask beside causality: of packed sequences.</param>
/// <param name="keepsInput">Whether a linear layer keeps what it reads.</param>
internal sealed class BlockActivations(
    Block block, int width, int streamSize, int productSize, DropoutProbabilities dropout, int length, bool isMasked,
    Func<Projection, bool> keepsInput)
{
    private const int Float32Size = 4;

    /// <summary>What all parts keep, of a token.</summary>
    public long Kept()
    {
        var feed = Around(block.Feed) + FeedForward();
        if (block.Parallel && block.Feed.Before?.Name is { } name && name == block.Self.Before?.Name)
            feed -= Norm(block.Feed.Before, width) + Read(block.Feed.Inputs); // one norm, read by both
        var cross = block.Cross is { } attention ? Around(attention) + Attention(attention, isCross: true) : 0;
        return Around(block.Self) + Attention(block.Self, isCross: false) + cross + feed;
    }

    /// <summary>The most that a part holds for a moment beside what is kept, of a token.</summary>
    public long Passing()
    {
        var inner = (2L * block.Feed.Inner + 2L * width) * productSize + 2L * width * streamSize;
        return Math.Max(inner, IsMaterialized(block.Self) ? 2L * Float32Size * block.Self.Heads * length : 0);
    }

    /// <summary>The norms around a part, its input, and the dropout of what it gives.</summary>
    private long Around(Sublayer part)
    {
        var inputs = part is Networks.Transformers.Description.FeedForward feed ? feed.Inputs : ((Attention)part).Inputs;
        var bytes = part.Before is { } before ? Norm(before, width) + Read(inputs) : Read(inputs);
        if (part.OnOutput is { } onOutput)
            bytes += Norm(onOutput, width);
        if (part.AfterSum is { } afterSum)
            bytes += Norm(afterSum, width);
        if (dropout.Residual > 0)
            bytes += (long)width * (part.OnOutput is null ? productSize : streamSize); // the mask
        return bytes;
    }

    /// <summary>A norm's input, and of root mean squares the normalized input, which is made in float32.</summary>
    private long Norm(Norm norm, long size) =>
        size * (norm.Kind == NormKind.Layer ? streamSize : Float32Size + (norm.HasWeight ? Float32Size : 0));

    /// <summary>What linear layers read, in the type of products.</summary>
    private long Read(IEnumerable<Projection> projections) => projections.Any(keepsInput) ? (long)width * productSize : 0;

    private bool IsMaterialized(Attention attention) =>
        attention.SoftCap is not null || attention.Bias is not null || dropout.Attention > 0;

    private long Attention(Attention attention, bool isCross)
    {
        var (queries, keys) = ((long)attention.Heads * attention.HeadWidth, (long)attention.KeyValueHeads * attention.HeadWidth);
        var isGrouped = attention.KeyValueHeads != attention.Heads;
        var size = attention.Float32Scores ? Float32Size : productSize;
        var heads = queries + 2 * (isGrouped ? queries : keys);
        var bytes = heads * size;
        var isScaled = Math.Abs(attention.Scale * Math.Sqrt(attention.HeadWidth) - 1) > 1e-12;
        if (attention.Packing != Packing.Apart && !isGrouped)
        {
            // Values are a part of the packed product, which stays for their sake; queries and keys are new tensors.
            bytes += ((attention.Rotary is not null ? queries + keys : isScaled ? queries : 0)) * productSize;
        }

        if (attention.QueryNorm is { } queryNorm)
            bytes += Norm(queryNorm, queries);
        if (attention.KeyNorm is { } keyNorm)
            bytes += Norm(keyNorm, keys);
        bytes += queries * size + Float32Size * attention.Heads; // what attention gives, and its normalizers
        if (size != productSize && keepsInput(attention.Output))
            bytes += queries * productSize;
        if (IsMaterialized(attention))
            return bytes + Scores(attention, size);
        return isMasked && !isCross ? bytes + (long)length * size : bytes;
    }

    /// <summary>A row of the matrix of scores for each head.</summary>
    private long Scores(Attention attention, int size)
    {
        var row = (long)attention.Heads * length;
        var bytes = row * Float32Size; // softmax
        if (dropout.Attention > 0)
            bytes += 2 * row * size; // the mask and the product
        else if (size != Float32Size)
            bytes += row * size;
        return attention.SoftCap is null ? bytes : bytes + row * size;
    }

    private long FeedForward()
    {
        var feed = block.Feed;
        var inner = (long)feed.Inner * productSize;
        var output = keepsInput(feed.Output) ? inner : 0;
        var bytes = feed.Gating == Gating.None
            ? feed.Activation switch
            {
                Activation.Relu or Activation.Sigmoid or Activation.Tanh => inner, // which their backward pass reads the output for
                Activation.None => output,
                Activation.QuickGelu or Activation.SquaredRelu => 2 * inner + output,
                _ => inner + output,
            }
            : 3 * inner + output;
        if (feed.InnerNorm is { } norm)
            bytes += Norm(norm, feed.Inner);
        return dropout.Inner > 0 ? bytes + inner : bytes;
    }
}
