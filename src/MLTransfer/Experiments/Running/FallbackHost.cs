namespace MLTransfer.Experiments.Running;

/// <summary>Runs trials in processes of their own as long as the program serves them when it is started anew, else in this one.</summary>
/// <param name="processes">Theirs.</param>
/// <param name="here">In this process.</param>
/// <param name="tell">Told why it is this process.</param>
internal sealed class FallbackHost(ProcessHost processes, InProcessHost here, Action<string> tell) : ITrialHost
{
    private bool _isHere;

    public async Task<TrialResult> RunAsync(RunningTrial trial)
    {
        if (!_isHere)
        {
            try
            {
                return await processes.RunAsync(trial).ConfigureAwait(false);
            }
            catch (ProgramNotServingException exception)
            {
                _isHere = true;
                tell(exception.Message);
            }
        }

        return await here.RunAsync(trial).ConfigureAwait(false);
    }
}
