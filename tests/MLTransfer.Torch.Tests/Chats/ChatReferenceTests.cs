using System.Text.Json;
using MLTransfer.Torch.Chats;
using MLTransfer.Torch.ChatTemplates;
using MLTransfer.Torch.Tests.ChatTemplates;
using Xunit;

namespace MLTransfer.Torch.Tests.Chats;

public sealed class ChatReferenceTests
{
    public static TheoryData<string> Templates => [.. ChatReferences.Templates];

    [Theory]
    [MemberData(nameof(Templates))]
    public void Every_case_gives_the_text_the_ids_the_turns_and_the_masks_of_the_reference_or_its_error(string name)
    {
        var format = ChatFormat.Find(ChatCases.Tokenizer(name))!;
        var failures = new List<string>();
        foreach (var reference in ChatCases.Of(name))
        {
            foreach (var difference in Differences(format, reference))
                failures.Add($"{reference.GetProperty("name")}: {difference}");
        }
        Assert.True(failures.Count == 0, string.Join('\n', failures));
    }

    private static IEnumerable<string> Differences(ChatFormat format, JsonElement reference)
    {
        EncodedChat chat;
        string? error = null;
        try
        {
            chat = format.EncodeWithTurns(ChatCases.Input(reference), ChatCases.Chosen(reference));
        }
        catch (ChatTemplateException exception)
        {
            (chat, error) = (null!, exception.Reason);
            if (reference.TryGetProperty("rendered", out _))
                error = $"the error {exception.Message}";
            else if (reference.GetProperty("error_kind").GetString() != "raised"
                || exception.IsRaised && exception.Reason == reference.GetProperty("error").GetString())
                yield break;
        }
        if (error is not null)
        {
            yield return error;
            yield break;
        }
        if (!reference.TryGetProperty("rendered", out var rendered))
        {
            yield return $"expected the error {reference.GetProperty("error")}";
            yield break;
        }
        if (chat.Text != rendered.GetString())
            yield return $"expected the text {rendered}, got {chat.Text}";
        if (!chat.Ids.SequenceEqual(Numbers(reference.GetProperty("ids"))))
            yield return "the ids differ";
        if (!format.Encode(ChatCases.Input(reference), ChatCases.Chosen(reference)).SequenceEqual(chat.Ids))
            yield return "the ids without offsets differ";
        var turns = string.Join('\n', chat.Turns.Select(turn => $"{turn.Message}: {turn.Problem ?? chat.Text[turn.Span!.Value]}"));
        var expectedTurns = string.Join('\n', reference.GetProperty("turns").EnumerateArray().Select(turn =>
            $"{turn.GetProperty("message")}: {(turn.TryGetProperty("problem", out var problem) ? problem : turn.GetProperty("text"))}"));
        if (turns != expectedTurns)
            yield return $"expected the turns\n{expectedTurns}\n  but has\n{turns}";

        var mask = reference.GetProperty("assistant_mask");
        if (mask.ValueKind != JsonValueKind.Null)
        {
            if (Mask(chat, AssistantLoss.AllTurns) is var found && found != Text(mask))
                yield return $"expected the mask\n{Text(mask)}, got\n{found}";
        }
        else if (Mask(chat, AssistantLoss.AllTurns) is var refused
            && !refused.Contains(reference.GetProperty("mask_reason").GetString()!, StringComparison.Ordinal)
            && !reference.TryGetProperty("generation_mask", out _))
            yield return $"expected the reason {reference.GetProperty("mask_reason")}, got {refused}";
        if (reference.TryGetProperty("last_turn_mask", out var last) && last.ValueKind != JsonValueKind.Null
            && Mask(chat, AssistantLoss.LastTurn) is var ofLast && ofLast != Text(last))
            yield return $"expected the mask of the last turn\n{Text(last)}, got\n{ofLast}";
        if (reference.TryGetProperty("generation_mask", out var marked) && !StartsWithItsBlock(chat, format, reference))
        {
            var inside = reference.TryGetProperty("generation_mask_inside", out var byThisRule) ? byThisRule : marked;
            var spans = format.Render(ChatCases.Input(reference), ChatCases.Chosen(reference)).GenerationSpans;
            if (string.Concat(chat.TokensIn(spans).Select(on => on ? 1 : 0)) is var ofMarks && ofMarks != Text(inside))
                yield return $"expected the mask of the marks\n{Text(inside)}, got\n{ofMarks}";
            if (mask.ValueKind == JsonValueKind.Null && Mask(chat, AssistantLoss.AllTurns) is var inPlace && inPlace != Text(inside))
                yield return $"expected the mask of the marks in place of the turns\n{Text(inside)}, got\n{inPlace}";
        }
    }

    // transformers loses a block that is the first thing which a template writes.
    private static bool StartsWithItsBlock(EncodedChat chat, ChatFormat format, JsonElement reference) =>
        format.Render(ChatCases.Input(reference), ChatCases.Chosen(reference)).GenerationSpans is [{ Start.Value: 0 }, ..]
        && chat.Text.Length > 0;

    /// <summary>The mask as ones and zeros, or why there is none. No turn at all is no error for the reference.</summary>
    private static string Mask(EncodedChat chat, AssistantLoss loss)
    {
        try
        {
            return string.Concat(chat.GetMask(loss).Select(on => on ? 1 : 0));
        }
        catch (InvalidDataException exception)
        {
            return chat.Turns.All(turn => turn.Problem is null) ? new string('0', chat.Ids.Count) : exception.Message;
        }
    }

    private static string Text(JsonElement mask) => string.Concat(Numbers(mask));

    private static IEnumerable<int> Numbers(JsonElement list) => list.EnumerateArray().Select(number => number.GetInt32());
}
