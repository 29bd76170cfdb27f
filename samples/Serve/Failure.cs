using System.Text.Json;
using Microsoft.AspNetCore.Http;

namespace Serve;

/// <summary>What went wrong with a request, as OpenAI tells it.</summary>
internal static class Failure
{
    /// <returns>Null where the request is not to blame.</returns>
    public static IResult? Of(Exception exception)
    {
        (int Status, string? Code)? kind = exception switch
        {
            UnknownModelException => (StatusCodes.Status404NotFound, "model_not_found"),
            NotSupportedException or ArgumentException or InvalidDataException or JsonException => (StatusCodes.Status400BadRequest, null),
            _ => null,
        };
        return kind is not { } known ? null : TypedResults.Json(
            new { error = new { message = exception.Message, type = "invalid_request_error", code = known.Code } },
            statusCode: known.Status);
    }
}

/// <summary>A request names a model that is not served.</summary>
internal sealed class UnknownModelException(string? id)
    : Exception(id is null ? "No model is served that does this." : $"There is no model '{id}' that does this.")
{
    /// <summary>The client, if the request names its model, or none.</summary>
    public static T Check<T>(Served<T>? served, string? id) =>
        served is not null && (id is null || id == served.Id) ? served.Client : throw new UnknownModelException(id);
}
