using System.Globalization;
using System.Net;

namespace MLTransfer.Torch.Checkpoints.Hub;

/// <summary>Turns refusals of the hub into exceptions that say what to do.</summary>
internal static class HubErrors
{
    /// <summary>Longer waits than this are the user's to decide on.</summary>
    private static readonly TimeSpan LongestRetryAfter = TimeSpan.FromMinutes(2);

    /// <summary>The exception for an answer that is not a success.</summary>
    /// <param name="response">The answer.</param>
    /// <param name="address">The address that was asked first.</param>
    /// <param name="id">The model.</param>
    /// <param name="revision">The revision that the user asked for.</param>
    /// <param name="options">Where the hub is, and whether there is a token.</param>
    public static HubException FromResponse(HttpResponseMessage response, Uri address, HubModelId id, string revision, HubOptions options)
    {
        HttpStatusCode status = response.StatusCode;
        string what = (status, Header(response, "X-Error-Code")) switch
        {
            (_, "GatedRepo") =>
                $"The model '{id}' is gated: access has to be granted to your account. "
                + $"Accept its conditions at {Page(id, options)} in a browser. " + TokenAdvice(options),
            (_, "RevisionNotFound") =>
                $"The model '{id}' has no revision '{revision}'. Expected one of its branches, tags or commits: see {Page(id, options)}.",
            (_, "EntryNotFound") => $"The model '{id}' has no file {address.AbsolutePath} at revision '{revision}'.",
            (HttpStatusCode.Unauthorized, _) when options.Token is not null =>
                $"The hub {options.Endpoint} refused the access token, or there is no model '{id}'. Check the id's spelling. "
                + TokenAdvice(options),
            (HttpStatusCode.Unauthorized, _) =>
                $"There is no model '{id}' at {options.Endpoint}, or it is private or gated. Check the id's spelling. "
                + TokenAdvice(options),
            (HttpStatusCode.Forbidden, _) =>
                $"The hub {options.Endpoint} forbids access to the model '{id}'. It may be gated: see {Page(id, options)} in a browser. "
                + TokenAdvice(options),
            (HttpStatusCode.NotFound, _) =>
                $"The hub {options.Endpoint} does not know the model '{id}' or its revision '{revision}'. Check the spelling. "
                + "It may be private. " + TokenAdvice(options),
            (HttpStatusCode.TooManyRequests, _) => $"The hub {options.Endpoint} limits the rate of requests. Wait and try again.",
            _ => $"The request for the model '{id}' failed. Try again later.",
        };
        TimeSpan? retryAfter = RetryAfter(response);
        return new HubException(
            string.Create(CultureInfo.InvariantCulture, $"{what} {response.RequestMessage?.Method} {address} gave {(int)status} ({status})")
            + (retryAfter is { } wait ? string.Create(CultureInfo.InvariantCulture, $", retry after {wait.TotalSeconds:0} s") : "")
            + (Header(response, "X-Error-Message") is { } message ? $": {message}" : "."))
        {
            StatusCode = status,
            IsTransient = (status is HttpStatusCode.RequestTimeout or HttpStatusCode.TooManyRequests || (int)status >= 500)
                && !(retryAfter > LongestRetryAfter),
            RetryAfter = retryAfter,
        };
    }

    /// <summary>The exception for a request that got no answer.</summary>
    public static HubException FromFailure(HttpRequestException e, Uri address) =>
        new($"No answer from {WithoutQuery(address)}: {e.Message} Check the connection and HF_ENDPOINT, or set HF_HUB_OFFLINE=1 to "
            + "use cached models only.", e)
        {
            IsTransient = e.HttpRequestError is not (HttpRequestError.SecureConnectionError or HttpRequestError.ConfigurationLimitExceeded),
        };

    /// <summary>The exception for a server that stopped talking.</summary>
    public static HubException FromTimeout(Uri address, TimeSpan timeout, Exception e) =>
        new($"{WithoutQuery(address)} sent nothing for {timeout.TotalSeconds} s. Try again later.", e) { IsTransient = true };

    /// <summary>An address for a message: the query of a content store's address is a passing permission to read.</summary>
    public static string WithoutQuery(Uri address) => address.GetLeftPart(UriPartial.Path);

    /// <summary>A header's first value, stripped of what does not belong in a message; null where it is missing.</summary>
    private static string? Header(HttpResponseMessage response, string name)
    {
        const int Longest = 300;
        if (!response.Headers.TryGetValues(name, out IEnumerable<string>? values))
            return null;
        string text = string.Concat(values.First().Where(c => !char.IsControl(c)));
        return text.Length <= Longest ? text : text[..Longest] + "...";
    }

    private static string Page(HubModelId id, HubOptions options) => $"{options.Endpoint.AbsoluteUri.TrimEnd('/')}/{id}";

    private static string TokenAdvice(HubOptions options) =>
        options.Token is null
            ? $"To sign in, put an access token ({options.Endpoint.AbsoluteUri.TrimEnd('/')}/settings/tokens) into the variable HF_TOKEN."
            : "Check that the access token in HF_TOKEN, or in the cache home's token file, is valid and may read this model.";

    private static TimeSpan? RetryAfter(HttpResponseMessage response)
    {
        TimeSpan? wait = response.Headers.RetryAfter switch
        {
            { Delta: { } delta } => delta,
            { Date: { } date } => date - DateTimeOffset.UtcNow,
            _ => null,
        };
        return wait > TimeSpan.Zero ? wait : null;
    }
}
