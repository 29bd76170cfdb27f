using System.Text;
using Microsoft.Extensions.AI;

namespace MLTransfer.Extensions.AI;

/// <summary>
/// Chats for models without a chat template: the words alone, which the model goes on with. A message begins a new line, but an assistant's
/// goes on directly, as it was written that way.
/// </summary>
internal static class PlainChat
{
    /// <exception cref="NotSupportedException">A message holds something else than words.</exception>
    public static string Join(string? instructions, IEnumerable<ChatMessage> messages)
    {
        var text = new StringBuilder(instructions);
        foreach (var message in messages)
        {
            if (text.Length > 0 && message.Role != ChatRole.Assistant)
                text.Append('\n');
            foreach (var content in message.Contents)
            {
                if (content is not (TextContent or TextReasoningContent or UsageContent))
                {
                    throw new NotSupportedException(
                        $"A message holds a {content.GetType().Name}, but the model has no chat template: it reads words alone.");
                }

                text.Append((content as TextContent)?.Text);
            }
        }

        return text.ToString();
    }
}
