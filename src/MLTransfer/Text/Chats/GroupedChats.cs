using System.Collections;
using System.Globalization;
using MLTransfer.Columns;
using Microsoft.ML;

namespace MLTransfer.Text.Chats;

/// <summary>A chat that was put together of rows of single messages.</summary>
internal sealed class GroupedChat
{
    public string Conversation { get; set; } = "";

    public string Messages { get; set; } = "";
}

/// <summary>
/// The chats of rows of single messages: those of one conversation, in the order of rows, wherever they stand. The data is read anew each
/// time they are gone through.
/// </summary>
internal sealed class GroupedChats : IEnumerable<GroupedChat>
{
    private readonly IDataView _data;
    private readonly DataViewSchema.Column _conversation;
    private readonly DataViewSchema.Column _role;
    private readonly DataViewSchema.Column _content;

    /// <exception cref="ArgumentException">A column is missing or of another kind.</exception>
    public GroupedChats(IDataView data, string conversation, string role, string content)
    {
        _data = data;
        _conversation = new ColumnRole(
            "conversation", conversation, ColumnKind.Text | ColumnKind.Number | ColumnKind.Key, "a text, a number or a key")
            .Find(data.Schema);
        _role = ColumnRole.Text("role", role).Find(data.Schema);
        _content = ColumnRole.Text("content", content).Find(data.Schema);
    }

    /// <exception cref="InvalidOperationException">A row has no role; the message names the row.</exception>
    public IEnumerator<GroupedChat> GetEnumerator()
    {
        var chats = new OrderedDictionary<string, List<ChatTurn>>(StringComparer.Ordinal);
        using var cursor = _data.GetRowCursor([_conversation, _role, _content]);
        var (conversation, role, content) = (
            TextGetter(cursor, _conversation), TextGetter(cursor, _role), TextGetter(cursor, _content));
        while (cursor.MoveNext())
        {
            if (role() is not { Length: > 0 } name)
                throw new InvalidOperationException(
                    $"Row {cursor.Position} of column '{_role.Name}' is empty; expected a role such as 'user'.");
            var id = conversation();
            if (!chats.TryGetValue(id, out var turns))
                chats.Add(id, turns = []);
            turns.Add(new ChatTurn(name, content()));
        }

        foreach (var (id, turns) in chats)
            yield return new GroupedChat { Conversation = id, Messages = ChatMessages.ToJson(turns) };
    }

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    private static Func<string> TextGetter(DataViewRow row, DataViewSchema.Column column)
    {
        var type = column.Type.RawType;
        return type == typeof(ReadOnlyMemory<char>) ? Of<ReadOnlyMemory<char>>()
            : type == typeof(float) ? Of<float>() : type == typeof(double) ? Of<double>()
            : type == typeof(byte) ? Of<byte>() : type == typeof(sbyte) ? Of<sbyte>()
            : type == typeof(short) ? Of<short>() : type == typeof(ushort) ? Of<ushort>()
            : type == typeof(int) ? Of<int>() : type == typeof(uint) ? Of<uint>()
            : type == typeof(long) ? Of<long>() : Of<ulong>();

        Func<string> Of<T>()
        {
            var getter = row.GetGetter<T>(column);
            return () =>
            {
                T value = default!;
                getter(ref value);
                return string.Create(CultureInfo.InvariantCulture, $"{value}");
            };
        }
    }
}
