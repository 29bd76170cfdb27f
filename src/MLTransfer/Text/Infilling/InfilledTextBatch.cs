using Microsoft.ML;
using Microsoft.ML.Data;
using MLTransfer.Columns;
using MLTransfer.Torch.Generation.Infilling;

namespace MLTransfer.Text.Infilling;

/// <summary>The texts of some rows, whose masks are filled together.</summary>
internal sealed class InfilledTextBatch(
    TextInfillerTransformer transformer, IReadOnlyList<InfilledColumn> kinds, ValueGetter<ReadOnlyMemory<char>> textGetter, int slots)
    : MappedBatch
{
    private readonly string[] _texts = new string[slots];
    private int _rows;
    private IReadOnlyList<InfilledText>? _filled;

    public override void Clear() => (_rows, _filled) = (0, null);

    public override void Read(int slot)
    {
        ReadOnlyMemory<char> text = default;
        textGetter(ref text);
        // The same text is filled with the same tokens, and several columns may ask for the same row.
        if (slot < _rows && text.Span.SequenceEqual(_texts[slot]))
            return;
        (_texts[slot], _rows, _filled) = (text.ToString(), Math.Max(_rows, slot + 1), null);
    }

    public override Delegate CreateGetter(int column, Func<int> current) => kinds[column] switch
    {
        InfilledColumn.Tokens => Vector(text => text.Masks.Select(mask => mask.Chosen.Text.AsMemory()), current),
        InfilledColumn.LogProbabilities => Vector(text => text.Masks.Select(mask => (float)mask.Chosen.LogProbability), current),
        InfilledColumn.Candidates => Vector(text => CandidatesOf(text).Select(candidate => candidate.Text.AsMemory()), current),
        InfilledColumn.CandidateLogProbabilities => Vector(
            text => CandidatesOf(text).Select(candidate => (float)candidate.LogProbability), current),
        _ => (ValueGetter<ReadOnlyMemory<char>>)((ref ReadOnlyMemory<char> value) => value = Filled(current()).Text.AsMemory()),
    };

    private ValueGetter<VBuffer<T>> Vector<T>(Func<InfilledText, IEnumerable<T>> values, Func<int> current) =>
        (ref VBuffer<T> value) => VectorValues.Fill(ref value, [.. values(Filled(current()))]);

    private InfilledText Filled(int slot)
    {
        _filled ??= transformer.Infill(_texts.AsSpan(0, _rows).ToArray());
        return _filled[slot];
    }

    private static IEnumerable<MaskCandidate> CandidatesOf(InfilledText text) => text.Masks.SelectMany(mask => mask.Candidates);
}
