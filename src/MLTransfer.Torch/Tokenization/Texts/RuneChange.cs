using System.Text;

namespace MLTransfer.Torch.Tokenization.Texts;

/// <summary>A character of a changed text, and what became of the characters that it stands for.</summary>
/// <param name="Rune">The new character.</param>
/// <param name="Change">
/// 0: it takes the place of one old character; above 0: it is inserted after the one before; -n: it takes the place of one old
/// character, and the n that follow it are gone.
/// </param>
internal readonly record struct RuneChange(Rune Rune, int Change);
