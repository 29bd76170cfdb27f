using static TorchSharp.torch;

namespace MLTransfer.Torch.Layers;

/// <summary>Which keys a query may attend to, in the cheapest form that says it.</summary>
/// <param name="IsCausal">The plain lower triangle: no tensor is needed.</param>
/// <param name="Allowed">[batch or 1, 1, queries or 1, keys] bool, or null where <paramref name="IsCausal"/> or nothing is
/// forbidden.</param>
internal sealed record AttentionMask(bool IsCausal, Tensor? Allowed)
{
    /// <summary>Combines causality with a window, with padding and with the borders between packed sequences.</summary>
    /// <param name="queries">The number of new positions.</param>
    /// <param name="past">The number of positions in the key-value cache.</param>
    /// <param name="padding">[batch, past + queries], 1 for real tokens and 0 for padding; null where nothing is padded.</param>
    /// <param name="sequenceIds">[batch, queries], the packed sequence that each position belongs to; null where rows are one
    /// sequence.</param>
    /// <param name="device">Where the mask is made.</param>
    /// <param name="window">How many positions a query sees, itself included; null for all before it.</param>
    public static AttentionMask Create(long queries, long past, Tensor? padding, Tensor? sequenceIds, Device device, int? window = null)
    {
        if (past + queries <= window)
            window = null;
        if (padding is null && sequenceIds is null && window is null)
        {
            if (past == 0)
                return new AttentionMask(queries > 1, null);
            if (queries == 1)
                return new AttentionMask(false, null);
        }

        using var scope = NewDisposeScope();
        var queryPositions = arange(past, past + queries, dtype: ScalarType.Int64, device: device).unsqueeze(1); // [queries, 1]
        var keyPositions = arange(past + queries, dtype: ScalarType.Int64, device: device).unsqueeze(0);         // [1, keys]
        var allowed = keyPositions.le(queryPositions).view(1, 1, queries, past + queries);
        if (window is { } width)
            allowed = allowed.logical_and(keyPositions.gt(queryPositions - width));
        if (padding is not null)
            allowed = allowed.logical_and(padding.to(ScalarType.Bool).unsqueeze(1).unsqueeze(1));
        if (sequenceIds is not null)
            allowed = allowed.logical_and(sequenceIds.unsqueeze(2).eq(sequenceIds.unsqueeze(1)).unsqueeze(1));

        // A padded query would have no key at all and softmax would make NaN of it: let it see itself. Nobody reads it.
        allowed = allowed.logical_or(keyPositions.eq(queryPositions));
        return new AttentionMask(false, allowed.MoveToOuterDisposeScope());
    }

    /// <summary>All queries see all keys but padding, and those of a row that is nothing but padding see all of it.</summary>
    /// <param name="padding">[batch, keys], 1 for real tokens and 0 for padding; null where nothing is padded.</param>
    /// <param name="sequenceIds">[batch, keys], the packed sequence that each position belongs to; null where rows are one
    /// sequence.</param>
    public static AttentionMask BothWays(Tensor? padding, Tensor? sequenceIds = null)
    {
        if (padding is null && sequenceIds is null)
            return new AttentionMask(false, null);
        using var scope = NewDisposeScope();
        Tensor? allowed = null; // [batch, 1, queries or 1, keys]
        if (sequenceIds is not null)
            allowed = sequenceIds.unsqueeze(2).eq(sequenceIds.unsqueeze(1)).unsqueeze(1);
        if (padding is not null)
        {
            var real = padding.to(ScalarType.Bool);
            var seen = real.logical_or(real.any(1, keepdim: true).logical_not()).unsqueeze(1).unsqueeze(1);
            allowed = allowed?.logical_and(seen) ?? seen;
        }

        return new AttentionMask(false, allowed!.MoveToOuterDisposeScope());
    }

    /// <summary>The plain lower triangle as a tensor: [1, 1, positions, positions].</summary>
    public static Tensor Triangle(long positions, Device device) =>
        ones([positions, positions], ScalarType.Bool, device).tril().view(1, 1, positions, positions);
}
