using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.AI;
using MLTransfer.Torch.Checkpoints;

namespace MLTransfer.Extensions.AI;

/// <summary>
/// Calls of functions as models write them: a JSON object, or a list of such, with a <c>name</c> and with <c>arguments</c> (Hermes, Qwen,
/// SmolLM, Mistral) or <c>parameters</c> (Llama).
/// </summary>
internal static class ToolCall
{
    private const int IdLength = 9; // letters and digits: Mistral's template takes no other ids

    /// <summary>Reads calls.</summary>
    /// <returns>At least one; null where the text is something else.</returns>
    public static IReadOnlyList<FunctionCallContent>? Read(string text)
    {
        JsonElement root;
        try
        {
            root = JsonContent.Parse(Encoding.UTF8.GetBytes(text.Trim()), "The call");
        }
        catch (InvalidDataException)
        {
            return null; // words of a model, which need be no JSON
        }

        IReadOnlyList<JsonElement> calls = root.ValueKind == JsonValueKind.Array ? [.. root.EnumerateArray()] : [root];
        FunctionCallContent?[] read = [.. calls.Select(Read)];
        return read.Length > 0 && !read.Contains(null) ? [.. read.OfType<FunctionCallContent>()] : null;
    }

    private static FunctionCallContent? Read(JsonElement call)
    {
        if (call.ValueKind != JsonValueKind.Object)
            return null;
        if (call.TryGetProperty("function", out var function) && function.ValueKind == JsonValueKind.Object)
            call = function; // as OpenAI writes it
        if (!call.TryGetProperty("name", out var name) || name.ValueKind != JsonValueKind.String || name.GetString() is not { Length: > 0 })
            return null;
        return Arguments(call) is { } arguments
            ? new FunctionCallContent(RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyz0123456789", IdLength),
                name.GetString()!, arguments)
            : null;
    }

    private static Dictionary<string, object?>? Arguments(JsonElement call)
    {
        if (!call.TryGetProperty("arguments", out var value) && !call.TryGetProperty("parameters", out value))
            return [];
        if (value.ValueKind == JsonValueKind.String)
        {
            try
            {
                value = JsonContent.Parse(Encoding.UTF8.GetBytes(value.GetString()!), "The arguments");
            }
            catch (InvalidDataException)
            {
                return null;
            }
        }

        return value.ValueKind switch
        {
            JsonValueKind.Object => value.EnumerateObject().ToDictionary(
                argument => argument.Name, argument => argument.Value.ValueKind == JsonValueKind.Null ? null : (object?)argument.Value),
            JsonValueKind.Null => [],
            _ => null,
        };
    }
}
