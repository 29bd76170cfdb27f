using MLTransfer.Columns;
using MLTransfer.Text.Chats;
using MLTransfer.Torch.Generation;
using Microsoft.ML;

namespace MLTransfer.Text;

/// <summary>The prompts of some rows, which are continued together.</summary>
internal sealed class GeneratedTextBatch(
    TextContinuationTransformer transformer, IReadOnlyList<GeneratedColumn> kinds, DataViewRow source,
    IReadOnlyList<DataViewSchema.Column> inputs, int slots)
    : MappedBatch
{
    private readonly ValueGetter<ReadOnlyMemory<char>> _promptGetter = ChatCursor.Getter(source, inputs);
    private readonly string[] _prompts = new string[slots];
    private readonly long[] _positions = new long[slots];
    private int _rows;
    private IReadOnlyList<IReadOnlyList<GeneratedText>>? _generated;

    public override void Clear() => (_rows, _generated) = (0, null);

    public override void Read(int slot)
    {
        ReadOnlyMemory<char> prompt = default;
        _promptGetter(ref prompt);
        _positions[slot] = source.Position;
        // The same prompt gives the same text, and several generated columns may ask for the same row.
        if (slot < _rows && prompt.Span.SequenceEqual(_prompts[slot]))
            return;
        (_prompts[slot], _rows, _generated) = (prompt.ToString(), Math.Max(_rows, slot + 1), null);
    }

    public override Delegate CreateGetter(int column, Func<int> current) => GeneratedValues.CreateGetter(
        kinds[column], transformer.Columns.SequencesPerPrompt, () =>
        {
            var slot = current();
            _generated ??= transformer.Generate(_prompts.AsSpan(0, _rows).ToArray(), _positions.AsSpan(0, _rows).ToArray());
            return _generated[slot];
        });
}
