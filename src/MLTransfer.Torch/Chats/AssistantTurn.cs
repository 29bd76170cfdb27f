namespace MLTransfer.Torch.Chats;

/// <summary>Where an assistant's turn stands in a rendered chat, its end marker included.</summary>
/// <param name="Message">The index of the message, from 0.</param>
/// <param name="Span">In UTF-16 units of the text; null where the template does not tell.</param>
/// <param name="Problem">Why there is no span; null where there is one.</param>
public sealed record AssistantTurn(int Message, Range? Span, string? Problem);
