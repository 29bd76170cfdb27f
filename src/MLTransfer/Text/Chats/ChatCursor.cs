using MLTransfer.Columns;
using Microsoft.ML;

namespace MLTransfer.Text.Chats;

/// <summary>Goes through the chats of data.</summary>
internal sealed class ChatCursor : IDisposable
{
    private readonly DataViewRowCursor _cursor;
    private readonly string _column;
    private readonly ValueGetter<ReadOnlyMemory<char>> _getter;

    private ChatCursor(DataViewRowCursor cursor, string column, ValueGetter<ReadOnlyMemory<char>> getter) =>
        (_cursor, _column, _getter) = (cursor, column, getter);

    /// <summary>The number of the current row, from 0.</summary>
    public long Row => _cursor.Position;

    /// <summary>The chat of the current row, with its tools; null where there is none.</summary>
    public string? Chat { get; private set; }

    /// <exception cref="ArgumentException">A column is missing or not text.</exception>
    public static ChatCursor Open(IDataView data, ColumnRole role, ChatForm form)
    {
        var columns = Columns(role, form).Select(wanted => wanted.Find(data.Schema)).ToList();
        var cursor = data.GetRowCursor(columns);
        return Ownership.Pass(cursor, () => new ChatCursor(cursor, role.Column, Getter(cursor, columns)));
    }

    /// <summary>The columns that a chat is read from.</summary>
    public static IEnumerable<ColumnRole> Columns(ColumnRole role, ChatForm form) =>
        form.Tools is { } tools ? [role, ColumnRole.Text("tools", tools)] : [role];

    /// <summary>Reads a chat from the columns of <see cref="Columns"/>.</summary>
    public static ValueGetter<ReadOnlyMemory<char>> Getter(DataViewRow row, IReadOnlyList<DataViewSchema.Column> columns)
    {
        var messages = row.GetGetter<ReadOnlyMemory<char>>(columns[0]);
        if (columns.Count == 1)
            return messages;
        var tools = row.GetGetter<ReadOnlyMemory<char>>(columns[1]);
        return (ref ReadOnlyMemory<char> value) =>
        {
            ReadOnlyMemory<char> ofTools = default;
            messages(ref value);
            tools(ref ofTools);
            if (!value.IsEmpty)
                value = ChatMessages.Join(value, ofTools).AsMemory();
        };
    }

    public bool MoveNext()
    {
        if (!_cursor.MoveNext())
            return false;
        ReadOnlyMemory<char> value = default;
        _getter(ref value);
        Chat = value.Span.IsWhiteSpace() ? null : value.ToString();
        return true;
    }

    /// <summary>Makes something of the current chat.</summary>
    /// <exception cref="InvalidOperationException">It cannot be made; the message names row and column.</exception>
    public T Read<T>(Func<T> read)
    {
        try
        {
            return read();
        }
        catch (InvalidDataException exception)
        {
            throw RowError(Row, _column, exception);
        }
    }

    public static InvalidOperationException RowError(long row, string column, Exception exception) =>
        new($"Row {row} of column '{column}': {exception.Message}", exception);

    public void Dispose() => _cursor.Dispose();
}
