using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace MLTransfer.Columns;

/// <summary>Counts values that were there before, by a hash of 128 bits of each.</summary>
internal sealed class DuplicateCounter
{
    private readonly HashSet<UInt128> _known = [];

    /// <summary>How many of the values were there before.</summary>
    public long Count { get; private set; }

    /// <summary>Looks at a value.</summary>
    public void Add(ReadOnlySpan<byte> value)
    {
        Span<byte> hash = stackalloc byte[SHA256.HashSizeInBytes];
        SHA256.HashData(value, hash);
        if (!_known.Add(MemoryMarshal.Read<UInt128>(hash)))
            Count++;
    }
}
