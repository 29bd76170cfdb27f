using MLTransfer.Torch.Numerics;

namespace MLTransfer.Torch.Training.Language;

/// <summary>
/// A text that every epoch cuts into rows at other places, so that what stood at the beginning of a row, with nothing to be predicted
/// from, stands in its middle the next time. The first epoch cuts where the text was cut; at its end the text goes on with its beginning.
/// </summary>
internal sealed class MovingBlocks
{
    /// <summary>The purpose of the seeds of places; see <see cref="TrainingStep.Seed"/>.</summary>
    private const ulong PlaceSeeds = 5;

    private readonly int[] _text;
    private readonly int _length;
    private readonly ulong _seed;

    /// <param name="rows">The text, cut into rows of equal length; the last one may be shorter, and is left out of an epoch then.</param>
    /// <param name="seed">Of the run.</param>
    /// <exception cref="ArgumentException">They are not the rows of one text.</exception>
    public MovingBlocks(IReadOnlyList<TrainingExample> rows, long seed)
    {
        if (FirstThatIsNoPiece(rows) is { } number)
        {
            throw new ArgumentException(
                $"{nameof(LanguageTrainingOptions.MoveBorders)} cuts one text anew in every epoch, but row {number} is no part of one: "
                + "expected rows of equal length whose labels are their tokens, as texts that are concatenated have them.", nameof(rows));
        }

        _length = rows.Count == 0 ? 0 : rows[0].InputIds.Length;

        _text = [.. rows.SelectMany(row => row.InputIds)];
        _seed = (ulong)seed;
        Count = _length == 0 ? 0 : _text.Length / _length;
    }

    /// <summary>Whether rows are a text that was cut, as far as can be seen.</summary>
    public static bool AreOneText(IReadOnlyList<TrainingExample> rows) => rows.Count > 1 && FirstThatIsNoPiece(rows) is null;

    /// <summary>The rows of an epoch.</summary>
    public int Count { get; }

    /// <summary>A row of an epoch, both counted from 0.</summary>
    public TrainingExample Row(int epoch, int index)
    {
        var place = epoch == 0 ? 0 : (int)(SplitMix64.Mix(_seed, PlaceSeeds, (ulong)epoch) % (ulong)_text.Length);
        var start = (int)((place + (long)index * _length) % _text.Length);
        var first = Math.Min(_length, _text.Length - start);
        int[] ids = [.. _text.AsSpan(start, first), .. _text.AsSpan(0, _length - first)];
        int[] labels = [.. ids];
        if (first < _length)
            labels[first] = TrainingExample.Ignored; // the end of the text does not tell how it begins
        return new TrainingExample(ids, labels);
    }

    private static int? FirstThatIsNoPiece(IReadOnlyList<TrainingExample> rows)
    {
        foreach (var (number, row) in rows.Index())
        {
            var length = rows[0].InputIds.Length;
            var isWhole = row.InputIds.Length == length || number == rows.Count - 1 && row.InputIds.Length < length;
            if (!isWhole || row.SequenceIds is not null || row.EncoderIds is not null || row.PredictsInPlace
                || !row.Labels.AsSpan().SequenceEqual(row.InputIds))
            {
                return number;
            }
        }

        return null;
    }
}
