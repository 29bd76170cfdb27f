namespace MLTransfer.Mpi;

/// <summary>MPI is not as it must be, or one of its functions failed.</summary>
/// <param name="message">What is wrong, and what to do.</param>
/// <param name="code">What the function returned; 0 where it is not one that failed.</param>
public sealed class MpiException(string message, int code = 0) : Exception(message)
{
    /// <summary>The error code of the MPI library; 0 where no function failed.</summary>
    public int Code => code;
}
