namespace MLTransfer.Torch.Chats;

/// <summary>What a chat template writes behind an assistant's words; one of the two, or nothing.</summary>
/// <param name="TokenId">The first token there that is an added one, such as <c>&lt;|im_end|&gt;</c>.</param>
/// <param name="Text">Where no token is an added one, the text there, such as <c>### User:</c>.</param>
public sealed record EndOfTurn(int? TokenId, string? Text);
