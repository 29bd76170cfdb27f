namespace MLTransfer.Torch.Networks.MusicGen;

/// <summary>
/// How the codebooks of a frame are spread over the columns that the decoder reads: each is delayed by some columns, so that a column's
/// codes depend on codes of earlier columns alone (arXiv 2306.05284, section 2.2). Column 0 is the start token of all codebooks.
/// </summary>
public sealed class DelayPattern
{
    /// <summary>What stands in a mask where a code is to be generated.</summary>
    public const int Generated = -1;

    private readonly int[] _delays;

    /// <param name="codebooks">The number of codebooks; of stereo both channels'.</param>
    /// <param name="channels">1, or 2 for codebooks that are of the left and the right channel in turn, both delayed alike.</param>
    /// <param name="paddingId">The id where a codebook has no code.</param>
    /// <exception cref="ArgumentOutOfRangeException">A number is out of its range.</exception>
    public DelayPattern(int codebooks, int channels, int paddingId)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(codebooks, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(channels, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(channels, 2);
        ArgumentOutOfRangeException.ThrowIfNotEqual(codebooks % channels, 0, nameof(codebooks));
        _delays = [.. Enumerable.Range(0, codebooks).Select(codebook => codebook / channels)];
        (Channels, PaddingId) = (channels, paddingId);
    }

    /// <summary>The number of codebooks.</summary>
    public int Codebooks => _delays.Length;

    /// <summary>1 for mono, 2 for stereo.</summary>
    public int Channels { get; }

    /// <summary>The id where a codebook has no code.</summary>
    public int PaddingId { get; }

    /// <summary>The different delays, the largest and 1: so many columns there are more than frames, the start column among them.</summary>
    public int Depth => _delays[^1] + 1;

    /// <summary>By how many columns a codebook is delayed.</summary>
    public int DelayOf(int codebook) => _delays[codebook];

    /// <summary>What the decoder is made to read: ids that are given, and <see cref="Generated"/> where it is free.</summary>
    /// <param name="start">[codebooks][columns]: the start column, and the codes of a prompt, not delayed.</param>
    /// <param name="length">The columns in all. Fewer than 2 <see cref="Depth"/> - 1 are left free altogether.</param>
    /// <returns>The mask, [codebooks][length], and the columns that generation begins with: those before the first that is free in the
    /// first codebook.</returns>
    /// <exception cref="ArgumentException">There is another number of codebooks, or their columns are more than the length.</exception>
    public (int[][] Mask, int[][] Start) Mask(IReadOnlyList<int[]> start, int length)
    {
        ArgumentNullException.ThrowIfNull(start);
        if (start.Count != Codebooks)
            throw new ArgumentException($"There are {start.Count} codebooks; expected {Codebooks}.", nameof(start));
        var columns = start[0].Length;
        if (length < 2 * Depth - 1)
            return ([.. start.Select(_ => Enumerable.Repeat(Generated, length).ToArray())], [.. start]);
        if (columns + Depth - 1 > length)
        {
            throw new ArgumentException(
                $"{columns} columns, delayed by up to {Depth - 1}, do not fit into a length of {length}.", nameof(length));
        }

        var mask = Columns(start, length);
        var free = Array.IndexOf(mask[0], Generated);
        var first = free < 0 ? columns : free;
        return (mask, [.. mask.Select(row => row[..first])]);
    }

    /// <summary>What stands in the columns of frames that are complete: the start column's ids, the codes of a prompt, delayed, and
    /// <see cref="Generated"/>; padding before and behind each codebook's.</summary>
    /// <param name="start">[codebooks][columns]: the start column, and the codes of a prompt, not delayed.</param>
    /// <param name="length">The frames and <see cref="Depth"/>.</param>
    internal int[][] Columns(IReadOnlyList<int[]> start, int length)
    {
        var all = new int[Codebooks][];
        for (var codebook = 0; codebook < Codebooks; codebook++)
        {
            all[codebook] = new int[length];
            for (var column = 0; column < length; column++)
            {
                var place = column - _delays[codebook];
                all[codebook][column] = place <= 0 || place > length - Depth ? PaddingId
                    : place < start[codebook].Length ? start[codebook][place] : Generated;
            }
        }

        return all;
    }

    /// <summary>What training predicts of frames: label[codebook][t] is code[codebook][t - delay], padding before and behind.</summary>
    /// <param name="codes">[codebooks][frames].</param>
    /// <returns>[codebooks][frames + <see cref="Depth"/> - 1].</returns>
    /// <exception cref="ArgumentException">There is another number of codebooks.</exception>
    public int[][] Delay(IReadOnlyList<int[]> codes)
    {
        ArgumentNullException.ThrowIfNull(codes);
        if (codes.Count != Codebooks)
            throw new ArgumentException($"There are {codes.Count} codebooks; expected {Codebooks}.", nameof(codes));
        return
        [
            .. codes.Select((row, codebook) =>
            {
                var delayed = new int[row.Length + Depth - 1];
                Array.Fill(delayed, PaddingId);
                row.CopyTo(delayed, _delays[codebook]);
                return delayed;
            }),
        ];
    }

    /// <summary>The frames of columns that are complete: the other way round than <see cref="Delay"/>, with a start column.</summary>
    /// <param name="columns">[codebooks][frames + <see cref="Depth"/>], the start column first.</param>
    /// <returns>[codebooks][frames].</returns>
    public int[][] Frames(IReadOnlyList<int[]> columns)
    {
        ArgumentNullException.ThrowIfNull(columns);
        return [.. columns.Select((row, codebook) => row.AsSpan(_delays[codebook] + 1, row.Length - Depth).ToArray())];
    }
}
