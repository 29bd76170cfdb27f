using MLTransfer.Text.Chats;
using Microsoft.ML;
using Microsoft.ML.Data;

namespace MLTransfer;

/// <summary>Chats in <c>mlContext.Data</c>.</summary>
public static class ChatCatalogExtensions
{
    /// <summary>
    /// Puts rows of single messages together to rows of whole chats, for <see cref="TextColumnsOptions.ChatColumnName"/>: the messages of
    /// one conversation in the order of rows.
    /// </summary>
    /// <remarks>
    /// Rows of a conversation need not follow each other; chats come in the order of their first rows. Nothing is read before the result
    /// is enumerated; all messages are in memory then, each time anew. A row without a role is an
    /// <see cref="InvalidOperationException"/> then, which names the row.
    /// </remarks>
    /// <param name="catalog">The catalog.</param>
    /// <param name="data">A row a message.</param>
    /// <param name="conversationColumnName">What tells conversations apart: a text, a number or a key.</param>
    /// <param name="roleColumnName">The text column of roles: <c>system</c>, <c>user</c>, <c>assistant</c>.</param>
    /// <param name="contentColumnName">The text column of the words.</param>
    /// <param name="messagesColumnName">The new text column of chats, a JSON array of messages a row.</param>
    /// <returns>
    /// A row a conversation, with the messages and, as text, in the column <paramref name="conversationColumnName"/>, what tells it apart.
    /// </returns>
    /// <exception cref="ArgumentException">A column is missing or of another kind, or two have one name.</exception>
    public static IDataView GroupChats(
        this DataOperationsCatalog catalog, IDataView data, string conversationColumnName, string roleColumnName, string contentColumnName,
        string messagesColumnName = "Messages")
    {
        ArgumentNullException.ThrowIfNull(catalog);
        ArgumentNullException.ThrowIfNull(data);
        ArgumentException.ThrowIfNullOrWhiteSpace(conversationColumnName);
        ArgumentException.ThrowIfNullOrWhiteSpace(roleColumnName);
        ArgumentException.ThrowIfNullOrWhiteSpace(contentColumnName);
        ArgumentException.ThrowIfNullOrWhiteSpace(messagesColumnName);
        if (messagesColumnName == conversationColumnName)
        {
            throw new ArgumentException(
                $"The messages and what tells conversations apart would both be in the column '{messagesColumnName}': give two names.",
                nameof(messagesColumnName));
        }

        var schema = SchemaDefinition.Create(typeof(GroupedChat));
        schema[nameof(GroupedChat.Conversation)].ColumnName = conversationColumnName;
        schema[nameof(GroupedChat.Messages)].ColumnName = messagesColumnName;
        return catalog.LoadFromEnumerable(
            new GroupedChats(data, conversationColumnName, roleColumnName, contentColumnName), schema);
    }
}
