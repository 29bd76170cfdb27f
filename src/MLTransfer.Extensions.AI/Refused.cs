namespace MLTransfer.Extensions.AI;

/// <summary>Options that would change what is generated, if there were what they ask for.</summary>
internal static class Refused
{
    /// <exception cref="NotSupportedException">The option is set.</exception>
    public static void If(bool isSet, string option, string reason)
    {
        if (isSet)
            throw new NotSupportedException($"{option} is not supported: {reason}");
    }

    /// <summary>What a request's factory of options gives, which goes before the usual ones.</summary>
    /// <param name="made">What it gave; null for the usual ones.</param>
    /// <param name="usual">The usual ones.</param>
    /// <exception cref="NotSupportedException">It gave something else.</exception>
    public static T Raw<T>(object? made, T usual) => made switch
    {
        null => usual,
        T options => options,
        _ => throw new NotSupportedException(
            $"RawRepresentationFactory gives a {made.GetType().FullName}; the client takes a {typeof(T).FullName}."),
    };
}
