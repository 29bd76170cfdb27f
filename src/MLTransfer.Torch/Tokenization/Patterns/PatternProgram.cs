using MLTransfer.Torch.Tokenization.Unicode;

namespace MLTransfer.Torch.Tokenization.Patterns;

/// <summary>A compiled regular expression.</summary>
/// <param name="Instructions">The steps; the first one begins.</param>
/// <param name="Registers">The number of registers of loops.</param>
/// <param name="Remembered">The number of instructions with a memory.</param>
/// <param name="First">The characters that a match can begin with, or null where it may be empty.</param>
internal sealed record PatternProgram(Instruction[] Instructions, int Registers, int Remembered, CodePointSet? First);
