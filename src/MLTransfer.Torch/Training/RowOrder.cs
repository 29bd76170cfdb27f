using MLTransfer.Torch.Numerics;

namespace MLTransfer.Torch.Training;

/// <summary>
/// The orders in which epochs go through rows. The seed and the epoch's number alone decide, so a resumed run goes on in the same order.
/// </summary>
internal static class RowOrder
{
    /// <summary>
    /// Rows of similar length are looked for among so many steps at most: further apart, order would not be random any more.
    /// </summary>
    private const int StepsOfBlock = 50;

    /// <summary>0 to <paramref name="count"/> - 1 in random order.</summary>
    public static int[] Shuffled(int count, long seed, int epoch) =>
        new SplitMix64(SplitMix64.Mix((ulong)seed, 2, (ulong)epoch)).Permutation(count);

    /// <summary>
    /// Random order, then sorted in blocks of steps, longest first, as transformers' <c>LengthGroupedSampler</c> does: a step's rows have
    /// nearly the same length. The longest row of all comes first, so that memory that does not suffice shows at once.
    /// </summary>
    /// <param name="lengths">The rows' numbers of tokens.</param>
    /// <param name="rowsPerStep">At least 1.</param>
    /// <param name="seed">Of the run.</param>
    /// <param name="epoch">Counted from 0.</param>
    public static int[] GroupedByLength(IReadOnlyList<int> lengths, int rowsPerStep, long seed, int epoch)
    {
        var blockSteps = Math.Clamp(lengths.Count / (4L * rowsPerStep), 1, StepsOfBlock); // a few rows still make several blocks
        var blocks = Shuffled(lengths.Count, seed, epoch).Chunk((int)Math.Min(lengths.Count, blockSteps * rowsPerStep))
            .Select(block => block.OrderByDescending(row => lengths[row]).ToArray()).ToArray(); // a stable sort
        if (blocks.Length > 0)
        {
            var longest = blocks.MaxBy(block => lengths[block[0]])!;
            (blocks[0][0], longest[0]) = (longest[0], blocks[0][0]);
        }

        return [.. blocks.SelectMany(block => block)];
    }
}
