namespace MLTransfer.Torch.Training.Audio;

/// <summary>What captions are left out of together.</summary>
public enum ConditionDropoutUnit
{
    /// <summary>Each row by a draw of its own.</summary>
    Row,

    /// <summary>All rows of a step by one draw, as the authors of MusicGen do with a batch (audiocraft).</summary>
    Step,
}
