using System.Globalization;
using System.Text.Json;
using Microsoft.Extensions.AI;

namespace MLTransfer.Extensions.AI;

/// <summary>The seed of a request whose options have none of their own: <c>seed</c> of its additional properties.</summary>
internal static class RequestSeed
{
    private const string Name = "seed";

    /// <returns>Null where there is none.</returns>
    /// <exception cref="ArgumentException">It is no whole number.</exception>
    public static long? Of(AdditionalPropertiesDictionary? properties)
    {
        if (properties?.TryGetValue(Name, out var value) != true || value is null)
            return null;
        try
        {
            return value is JsonElement element ? element.GetInt64() : Convert.ToInt64(value, CultureInfo.InvariantCulture);
        }
        catch (Exception exception) when (exception is InvalidOperationException or FormatException or InvalidCastException
            or OverflowException)
        {
            throw new ArgumentException($"AdditionalProperties: '{Name}' is '{value}'; expected a whole number of 64 bits.", exception);
        }
    }
}
