using System.Numerics;

namespace MLTransfer.Torch.Numerics.Rows;

/// <summary>Rotary position embedding of the heads of a few rows (arXiv 2104.09864).</summary>
internal static class RowRotation
{
    /// <summary>Rotates pairs (a, b) of each head's first entries to (a cos - b sin, b cos + a sin), where they lie.</summary>
    /// <param name="heads">[rows, heads, head width]: queries or keys.</param>
    /// <param name="cosines">[rows, rotated width / 2]: of each row's position; any factor on the rotation is in both.</param>
    /// <param name="sines">The same shape.</param>
    /// <param name="neighbours">Whether pairs are (2 i, 2 i + 1), as in GPT-J; (i, i + rotated width / 2) otherwise, as in Llama.</param>
    public static void Apply(RowSlices heads, ReadOnlySpan<float> cosines, ReadOnlySpan<float> sines, bool neighbours)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(sines.Length, cosines.Length);
        var pairs = heads.Rows == 0 ? 0 : cosines.Length / heads.Rows;
        ArgumentOutOfRangeException.ThrowIfNotEqual(cosines.Length, pairs * heads.Rows);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(2 * pairs, heads.Width, nameof(cosines));
        for (var row = 0; row < heads.Rows; row++)
        {
            var cosine = cosines.Slice(row * pairs, pairs);
            var sine = sines.Slice(row * pairs, pairs);
            for (var head = 0; head < heads.Slices; head++)
            {
                if (neighbours)
                    RotateNeighbours(heads[row, head], cosine, sine);
                else
                    RotateHalves(heads[row, head][..pairs], heads[row, head].Slice(pairs, pairs), cosine, sine);
            }
        }
    }

    /// <summary>The same for one head, to where it is not.</summary>
    /// <param name="head">[head width].</param>
    /// <param name="cosines">[rotated width / 2].</param>
    /// <param name="sines">[rotated width / 2].</param>
    /// <param name="neighbours">As in <see cref="Apply"/>.</param>
    /// <param name="target">[head width].</param>
    public static void Turn(
        ReadOnlySpan<float> head, ReadOnlySpan<float> cosines, ReadOnlySpan<float> sines, bool neighbours, Span<float> target)
    {
        head.CopyTo(target);
        if (neighbours)
            RotateNeighbours(target, cosines, sines);
        else
            RotateHalves(target[..cosines.Length], target.Slice(cosines.Length, cosines.Length), cosines, sines);
    }

    private static void RotateHalves(Span<float> first, Span<float> second, ReadOnlySpan<float> cosines, ReadOnlySpan<float> sines)
    {
        var i = 0;
        for (; i <= cosines.Length - Vector<float>.Count; i += Vector<float>.Count)
        {
            var (a, b) = (new Vector<float>(first[i..]), new Vector<float>(second[i..]));
            var (cosine, sine) = (new Vector<float>(cosines[i..]), new Vector<float>(sines[i..]));
            (a * cosine - b * sine).CopyTo(first[i..]);
            (b * cosine + a * sine).CopyTo(second[i..]);
        }

        for (; i < cosines.Length; i++)
            (first[i], second[i]) = (first[i] * cosines[i] - second[i] * sines[i], second[i] * cosines[i] + first[i] * sines[i]);
    }

    private static void RotateNeighbours(Span<float> head, ReadOnlySpan<float> cosines, ReadOnlySpan<float> sines)
    {
        for (var i = 0; i < cosines.Length; i++)
        {
            var (a, b) = (head[2 * i], head[2 * i + 1]);
            (head[2 * i], head[2 * i + 1]) = (a * cosines[i] - b * sines[i], b * cosines[i] + a * sines[i]);
        }
    }
}
