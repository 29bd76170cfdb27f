using MLTransfer.Columns;
using MLTransfer.Text.Chats;
using Microsoft.ML;

namespace MLTransfer.Text.Preferences;

/// <summary>Reads pairs of texts from columns of chosen and rejected ones, or makes them of texts that a score ranks.</summary>
internal sealed class PreferenceRowReader
{
    private readonly IDataView _data;
    private readonly IReadOnlyList<DataViewSchema.Column> _prompt; // with the tools of chats
    private readonly DataViewSchema.Column _text;
    private readonly DataViewSchema.Column? _rejected;
    private readonly DataViewSchema.Column? _score;
    private readonly bool _needsPrompt;

    /// <param name="data">The rows.</param>
    /// <param name="columns">What is read.</param>
    /// <exception cref="ArgumentException">A column is missing or of another type.</exception>
    public PreferenceRowReader(IDataView data, TextGeneratorColumns columns)
    {
        _data = data;
        _prompt = [.. columns.InputRoles.Select(role => role.Find(data.Schema))];
        _text = columns.TextRole.Find(data.Schema);
        _rejected = columns.RejectedRole?.Find(data.Schema);
        _score = columns.ScoreRole?.Find(data.Schema);
        _needsPrompt = columns.Chat is not null;
    }

    /// <summary>Rows without a text, without a chat, or without a score.</summary>
    public long EmptyRows { get; private set; }

    /// <summary>The pairs, in the order of rows, or of prompts where rows are ranked.</summary>
    public IEnumerable<Row> Read(CancellationToken cancellationToken) =>
        _rejected is null ? Ranked(cancellationToken) : Paired(cancellationToken);

    private IEnumerable<Row> Paired(CancellationToken cancellationToken)
    {
        using var cursor = _data.GetRowCursor([.. _prompt, _text, _rejected!.Value]);
        var (prompt, chosen, rejected) = (
            ChatCursor.Getter(cursor, _prompt), Texts(cursor, _text), Texts(cursor, _rejected.Value));
        while (cursor.MoveNext())
        {
            cancellationToken.ThrowIfCancellationRequested();
            var row = new Row(cursor.Position, cursor.Position, Value(prompt), Value(chosen), Value(rejected));
            if (row.Chosen.Length == 0 || row.Rejected.Length == 0 || IsMissing(row.Prompt))
                EmptyRows++;
            else
                yield return row;
        }
    }

    private IEnumerable<Row> Ranked(CancellationToken cancellationToken)
    {
        var prompts = new OrderedDictionary<string, List<(long Number, string Text, double Score)>>(StringComparer.Ordinal);
        using (var cursor = _data.GetRowCursor([.. _prompt, _text, _score!.Value]))
        {
            var (prompt, text, score) = (
                ChatCursor.Getter(cursor, _prompt), Texts(cursor, _text), NumberColumn.Getter(cursor, _score.Value));
            while (cursor.MoveNext())
            {
                cancellationToken.ThrowIfCancellationRequested();
                var (ofRow, written, rank) = (Value(prompt), Value(text), score());
                if (written.Length == 0 || double.IsNaN(rank) || IsMissing(ofRow))
                {
                    EmptyRows++;
                    continue;
                }

                if (!prompts.TryGetValue(ofRow, out var texts))
                    prompts.Add(ofRow, texts = []);
                texts.Add((cursor.Position, written, rank));
            }
        }

        foreach (var (group, (prompt, texts)) in prompts.Index())
        {
            foreach (var (first, one) in texts.Index())
            {
                foreach (var other in texts.Skip(first + 1))
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    if (one.Score != other.Score)
                    {
                        var (better, worse) = one.Score > other.Score ? (one, other) : (other, one);
                        yield return new Row(group, one.Number, prompt, better.Text, worse.Text);
                    }
                }
            }
        }
    }

    private bool IsMissing(string prompt) => _needsPrompt && string.IsNullOrWhiteSpace(prompt);

    private static ValueGetter<ReadOnlyMemory<char>> Texts(DataViewRow row, DataViewSchema.Column column) =>
        row.GetGetter<ReadOnlyMemory<char>>(column);

    private static string Value(ValueGetter<ReadOnlyMemory<char>> getter)
    {
        ReadOnlyMemory<char> value = default;
        getter(ref value);
        return value.ToString();
    }

    /// <summary>A pair of texts.</summary>
    /// <param name="Group">What belongs together: the number of the row, or of the prompt where rows are ranked.</param>
    /// <param name="Number">The row, from 0; of ranked rows the first of the two.</param>
    /// <param name="Prompt">A text, or a chat.</param>
    /// <param name="Chosen">The preferred text.</param>
    /// <param name="Rejected">The other one.</param>
    internal readonly record struct Row(long Group, long Number, string Prompt, string Chosen, string Rejected);
}
