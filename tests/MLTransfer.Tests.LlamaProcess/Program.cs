// Runs GGUF files with llama.cpp. Standard input is a list of jobs in JSON, standard output the list of answers.
using System.Text;
using System.Text.Json;
using LLama.Exceptions;
using LLama.Native;
using MLTransfer.Tests.LlamaProcess;

var log = new StringBuilder();
NativeLibraryConfig.All.WithLogCallback((level, message) =>
{
    if (level is LLamaLogLevel.Error or LLamaLogLevel.Warning)
        log.Append(message);
});
var jobs = JsonSerializer.Deserialize<Job[]>(Console.In.ReadToEnd(), JsonSerializerOptions.Web)!;
Console.Out.Write(JsonSerializer.Serialize(jobs.Select(Do), JsonSerializerOptions.Web));

Answer Do(Job job)
{
    try
    {
        log.Clear();
        return LlamaRun.Do(job);
    }
    catch (Exception exception) when (exception is RuntimeError or InvalidOperationException)
    {
        return new([], [], [], $"{exception.Message} {log}");
    }
}
