using static TorchSharp.torch;

namespace MLTransfer.Torch.Layers;

/// <summary>Which keys a query may attend to, in the cheapest form that says it.</summary>
/// <param name="IsCausal">The plain lower triangle: no tensor is needed.</param>
/// <param name="Allowed">[batch or 1, 1, queries, keys] bool, or null where <paramref name="IsCausal"/> or nothing is forbidden.</param>
internal sealed record AttentionMask(bool IsCausal, Tensor? Allowed)
{
    /// <summary>Combines causality with padding and with the borders between packed sequences.</summary>
    /// <param name="queries">The number of new positions.</param>
    /// <param name="past">The number of positions in the key-value cache.</param>
    /// <param name="padding">[batch, past + queries], 1 for real tokens and 0 for padding; null where nothing is padded.</param>
    /// <param name="sequenceIds">[batch, queries], the packed sequence that each position belongs to; null where rows are one sequence.</param>
    /// <param name="device">Where the mask is made.</param>
    public static AttentionMask Create(long queries, long past, Tensor? padding, Tensor? sequenceIds, Device device)
    {
        if (padding is null && sequenceIds is null)
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
        if (padding is not null)
            allowed = allowed.logical_and(padding.to(ScalarType.Bool).unsqueeze(1).unsqueeze(1));
        if (sequenceIds is not null)
            allowed = allowed.logical_and(sequenceIds.unsqueeze(2).eq(sequenceIds.unsqueeze(1)).unsqueeze(1));

        // A padded query would have no key at all and softmax would make NaN of it: let it see itself. Nobody reads it.
        allowed = allowed.logical_or(keyPositions.eq(queryPositions));
        return new AttentionMask(false, allowed.MoveToOuterDisposeScope());
    }
}
