namespace MLTransfer.Torch.Generation;

/// <summary>When beam search ends, once there are as many finished sequences as beams.</summary>
public enum EarlyStopping
{
    /// <summary>
    /// When the best running beam, scored as if it ended now, is not better than the worst finished sequence: a heuristic, as later tokens
    /// could raise a score (<c>early_stopping=False</c>).
    /// </summary>
    Heuristic,

    /// <summary>At once (<c>early_stopping=True</c>).</summary>
    WhenFinished,

    /// <summary>
    /// When no running beam can become better than the worst finished sequence, scored at the length that suits it best
    /// (<c>early_stopping="never"</c>).
    /// </summary>
    Never,
}
