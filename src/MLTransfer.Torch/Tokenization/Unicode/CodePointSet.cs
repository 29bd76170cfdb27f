using System.Runtime.CompilerServices;
using System.Text;

namespace MLTransfer.Torch.Tokenization.Unicode;

/// <summary>A set of Unicode code points: sorted ranges, with a bit for each code point of the basic plane once it is asked.</summary>
internal sealed class CodePointSet
{
    public const int MaximumCodePoint = 0x10FFFF;

    public static readonly CodePointSet Empty = new([]);
    public static readonly CodePointSet All = new([0, MaximumCodePoint]);

    // First and last of each range, ascending, with a gap between ranges.
    private readonly int[] _bounds;
    private readonly ulong _low;
    private readonly ulong _high;
    private ulong[]? _plane;

    private CodePointSet(int[] bounds)
    {
        _bounds = bounds;
        for (int value = 0; value < 128; value++)
        {
            if (Find(value))
                (value < 64 ? ref _low : ref _high) |= 1UL << (value & 63);
        }
    }

    public bool IsEmpty => _bounds.Length == 0;

    /// <summary>The ranges, first and last code point of each, ascending.</summary>
    public IEnumerable<(int First, int Last)> Ranges
    {
        get
        {
            for (int i = 0; i < _bounds.Length; i += 2)
                yield return (_bounds[i], _bounds[i + 1]);
        }
    }

    /// <summary>A set of one code point.</summary>
    public static CodePointSet Of(int codePoint) => new([codePoint, codePoint]);

    /// <summary>A set of ranges in any order; they may overlap.</summary>
    public static CodePointSet Of(IEnumerable<(int First, int Last)> ranges)
    {
        var bounds = new List<int>();
        foreach ((int first, int last) in ranges.Order())
        {
            if (bounds.Count > 0 && first <= bounds[^1] + 1)
                bounds[^1] = Math.Max(bounds[^1], last);
            else
                bounds.AddRange([first, last]);
        }

        return bounds.Count == 0 ? Empty : new CodePointSet([.. bounds]);
    }

    /// <summary>The code points of which something is true.</summary>
    public static CodePointSet Where(Predicate<int> isMember)
    {
        var bounds = new List<int>();
        for (int value = 0; value <= MaximumCodePoint; value++)
        {
            if (!isMember(value))
                continue;
            if (bounds.Count > 0 && bounds[^1] == value - 1)
                bounds[^1] = value;
            else
                bounds.AddRange([value, value]);
        }

        return new CodePointSet([.. bounds]);
    }

    public CodePointSet Union(CodePointSet other) => IsEmpty ? other : other.IsEmpty ? this : Of(Ranges.Concat(other.Ranges));

    public CodePointSet Intersect(CodePointSet other) => Complement().Union(other.Complement()).Complement();

    public CodePointSet Except(CodePointSet other) => Intersect(other.Complement());

    public CodePointSet Complement()
    {
        var ranges = new List<(int, int)>();
        int next = 0;
        foreach ((int first, int last) in Ranges)
        {
            if (first > next)
                ranges.Add((next, first - 1));
            next = last + 1;
        }

        if (next <= MaximumCodePoint)
            ranges.Add((next, MaximumCodePoint));
        return Of(ranges);
    }

    public bool Overlaps(CodePointSet other) => !Intersect(other).IsEmpty;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Contains(int codePoint)
    {
        if ((uint)codePoint < 128)
            return (((codePoint < 64 ? _low : _high) >> (codePoint & 63)) & 1) != 0;
        return ContainsBeyondAscii(codePoint);
    }

    public bool Contains(Rune rune) => Contains(rune.Value);

    private bool ContainsBeyondAscii(int codePoint)
    {
        if (codePoint > 0xFFFF)
            return Find(codePoint);
        ulong[] plane = _plane ?? FillPlane();
        return ((plane[codePoint >> 6] >> (codePoint & 63)) & 1) != 0;
    }

    private ulong[] FillPlane()
    {
        ulong[] plane = new ulong[0x10000 / 64];
        foreach ((int first, int last) in Ranges)
        {
            for (int value = first; value <= Math.Min(last, 0xFFFF); value++)
                plane[value >> 6] |= 1UL << (value & 63);
        }

        return _plane = plane;
    }

    private bool Find(int codePoint)
    {
        int index = Array.BinarySearch(_bounds, codePoint);
        return index >= 0 || (~index & 1) != 0;
    }
}
