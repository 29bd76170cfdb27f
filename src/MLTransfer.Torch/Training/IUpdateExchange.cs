namespace MLTransfer.Torch.Training;

/// <summary>
/// What stands between the passes of an update and its optimizer, when gradients and normalizers are complete: processes that share the
/// rows of a step add up here what each has.
/// </summary>
internal interface IUpdateExchange
{
    /// <summary>The number of this process among them, from 0: what each draws for itself is drawn from it.</summary>
    int Rank => 0;

    /// <summary>Which of a step's rows this process goes through. All processes have the same normalizers: those of all rows.</summary>
    int[] Share(int[] rowsOfStep);

    /// <summary>Completes an update: adds to the gradients of the player's optimizer what others have.</summary>
    /// <param name="player">Has the gradients of this process's rows, divided by the normalizers.</param>
    /// <param name="normalizers">Of all rows of the step; empty where the update has none.</param>
    /// <param name="loss">Of this process's rows.</param>
    /// <returns>The loss of all rows.</returns>
    double Complete(Player player, IReadOnlyList<double> normalizers, double loss);

    /// <summary>Puts sums over all processes in the place of figures of this process's rows.</summary>
    void Sum(Span<double> figures)
    {
    }
}
