using Microsoft.Extensions.AI;

namespace MLTransfer.Extensions.AI;

/// <summary>The functions that a request lets the model call.</summary>
internal static class RequestedTools
{
    /// <returns>Empty where the request has none, or forbids calls.</returns>
    /// <exception cref="NotSupportedException">A tool is no function, or a call is demanded.</exception>
    public static IReadOnlyList<AIFunctionDeclaration> Of(ChatOptions? options)
    {
        if (options?.ToolMode is RequiredChatToolMode)
        {
            throw new NotSupportedException(
                $"{nameof(options.ToolMode)} is not supported as 'required': nothing binds the model's words to a call. Leave it at "
                + "'auto'.");
        }

        if (options?.ToolMode is NoneChatToolMode)
            return [];
        return [.. (options?.Tools ?? []).Select(tool => tool as AIFunctionDeclaration ?? throw new NotSupportedException(
            $"{nameof(options.Tools)} has '{tool.Name}', a {tool.GetType().Name}, which a service would host. The model calls functions "
            + "alone."))];
    }
}
