using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace MLTransfer.Torch.Training.Reports;

/// <summary>An option of a run as a text.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Value">Its value.</param>
/// <param name="IsDefault">Whether it is what the class has without being told.</param>
internal sealed record OptionValue(string Name, string Value, bool IsDefault)
{
    private static readonly JsonSerializerOptions s_json = new()
    {
        Converters = { new JsonStringEnumConverter() }, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The options of a record that has defaults.</summary>
    public static IReadOnlyList<OptionValue> Of(object options)
    {
        var defaults = Activator.CreateInstance(options.GetType())!;
        return
        [
            .. options.GetType().GetProperties(BindingFlags.Public | BindingFlags.Instance)
                .Where(property => !property.IsDefined(typeof(JsonIgnoreAttribute))).Select(property =>
            {
                var (value, usual) = (Text(property.GetValue(options)), Text(property.GetValue(defaults)));
                return new OptionValue(property.Name, value, value == usual);
            }),
        ];
    }

    private static string Text(object? value) => value switch
    {
        null => "none",
        string text => text,
        _ => JsonSerializer.Serialize(value, value.GetType(), s_json).Trim('"'),
    };
}
