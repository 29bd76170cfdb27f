namespace MLTransfer;

/// <summary>A message of a chat. Chats with tool calls, names or parts are given as JSON.</summary>
/// <param name="Role">Who says it: <c>system</c>, <c>user</c>, <c>assistant</c>, or what else the model's chat template knows.</param>
/// <param name="Content">The words.</param>
public sealed record ChatTurn(string Role, string Content);
