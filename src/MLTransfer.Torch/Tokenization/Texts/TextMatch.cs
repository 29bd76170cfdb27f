namespace MLTransfer.Torch.Tokenization.Texts;

/// <summary>A part of a text that a pattern matches, or one between such.</summary>
/// <param name="Start">Its first UTF-16 unit.</param>
/// <param name="End">One past its last.</param>
/// <param name="IsMatch">Whether the pattern matches it.</param>
internal readonly record struct TextMatch(int Start, int End, bool IsMatch);
