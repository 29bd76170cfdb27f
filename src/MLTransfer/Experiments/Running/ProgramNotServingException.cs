namespace MLTransfer.Experiments.Running;

/// <summary>The program that was started anew ended before it came to the experiment.</summary>
internal sealed class ProgramNotServingException(string message) : InvalidOperationException(message);
