namespace MLTransfer.Torch.ChatTemplates.Evaluation;

/// <summary>One execution of a generation block; equal to itself alone.</summary>
internal sealed class GenerationMark(int line)
{
    /// <summary>The line of the template that the block begins at.</summary>
    public int Line => line;
}
