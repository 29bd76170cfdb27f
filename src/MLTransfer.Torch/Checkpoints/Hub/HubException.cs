using System.Net;

namespace MLTransfer.Torch.Checkpoints.Hub;

/// <summary>
/// A model could not be brought from the hub or its local cache. The message says what was asked for, what came, and what to do.
/// </summary>
public sealed class HubException : IOException
{
    /// <summary>Creates the exception without a message.</summary>
    public HubException()
    {
    }

    /// <summary>Creates the exception with a message.</summary>
    /// <param name="message">What was asked for, what came, and what to do.</param>
    public HubException(string message)
        : base(message)
    {
    }

    /// <summary>Creates the exception with a message and its cause.</summary>
    /// <param name="message">What was asked for, what came, and what to do.</param>
    /// <param name="innerException">The cause.</param>
    public HubException(string message, Exception? innerException)
        : base(message, innerException)
    {
    }

    /// <summary>The hub's answer, or null where the failure was not an HTTP answer.</summary>
    public HttpStatusCode? StatusCode { get; internal init; }

    /// <summary>Whether the same request may succeed when it is sent again.</summary>
    internal bool IsTransient { get; init; }

    /// <summary>How long the server asked to wait before the next request.</summary>
    internal TimeSpan? RetryAfter { get; init; }
}
