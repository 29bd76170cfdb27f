using MLTransfer.Onnx.Checking;
using MLTransfer.Onnx.Graphs;
using MLTransfer.Torch.Checkpoints;
using Microsoft.ML.OnnxRuntime;

namespace MLTransfer.Onnx.Writing;

/// <summary>Writes a model that is one file.</summary>
internal static class OnnxFile
{
    /// <summary>Writes a graph; the file gets its name after ONNX Runtime computed with it what the engine does.</summary>
    /// <param name="path">The file, which is replaced where there is one.</param>
    /// <param name="graph">The graph.</param>
    /// <param name="name">What messages call it.</param>
    /// <param name="compare">Gives the largest difference from the engine, and throws where that is too large.</param>
    /// <exception cref="IOException">The file cannot be written, for example because the disk is full.</exception>
    /// <exception cref="InvalidOperationException">ONNX Runtime does not run the file.</exception>
    public static double Write(string path, GraphBuilder graph, string name, Func<InferenceSession, double> compare)
    {
        var difference = double.NaN;
        AtomicFile.Write(path, stream => ModelFileWriter.Write(stream, graph), temporary =>
        {
            using var session = ExportedSession.Open(temporary, name);
            try
            {
                difference = compare(session);
            }
            catch (OnnxRuntimeException exception)
            {
                throw ExportedSession.NotRun(name, exception);
            }
        });
        return difference;
    }
}
